"""RoBERTa and XLM-RoBERTa through the BERT encoder, against Hugging Face's own models."""

from __future__ import annotations

import json

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertModel,
    DebertaV2Config,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from amb.data.tokenisation import SPECIAL, tokenise
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.backbone_source import prepare_backbone
from amb.model.packing import TokenLayout
from amb.study import BackboneSettings
from amb.training.check import check_method
from amb.training.job import Job
from amb.training.run import open_context

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
CORPUS = ["it was a good film, really good", "I don't like this film at all!", "what a bad day"]
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "vocab_size": 320,
    "pad_token_id": 1,
    "type_vocab_size": 1,
}
LENGTHS = torch.tensor([20, 3, 7, 15, 1])


def byte_level_tokenizer():
    """A byte-level BPE as RoBERTa's, without a space before the first word."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL_TOKENS, initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(CORPUS * 5, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def unigram_tokenizer():
    """A Unigram tokenizer over ▁-marked words, as XLM-RoBERTa's."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=60, special_tokens=SPECIAL_TOKENS, unk_token="<unk>"
    )
    tokenizer.train_from_iterator(CORPUS * 5, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def save_tokenizer(tokenizer, folder, name):
    """Write what a folder of the hub has: the tokenizer, and vocabulary and merges beside it."""
    tokenizer.save(str(folder / "tokenizer.json"))
    if name == "RobertaTokenizer":
        tokenizer.model.save(str(folder))
    names = dict(zip(("bos", "pad", "eos", "unk", "mask"), SPECIAL_TOKENS, strict=True))
    config = {f"{role}_token": token for role, token in names.items()}
    config |= {"cls_token": "<s>", "sep_token": "</s>", "tokenizer_class": name}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


FAMILIES = {
    "roberta": (RobertaConfig, RobertaModel, byte_level_tokenizer, "RobertaTokenizer"),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel, unigram_tokenizer, "XLMRobertaTokenizer"),
}


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request, tmp_path_factory):
    config, model, tokenizer, tokenizer_class = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp("checkpoint")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model(config(**SIZES)).save_pretrained(folder)
    save_tokenizer(tokenizer(), folder, tokenizer_class)
    return folder


@pytest.fixture(scope="module")
def backbone(checkpoint, tmp_path_factory):
    settings = BackboneSettings(str(checkpoint))
    folder = tmp_path_factory.mktemp("backbone") / "prepared"
    prepare_backbone(settings, folder)
    return Backbone(folder, settings)


@pytest.fixture
def reference(checkpoint):
    family = json.loads((checkpoint / "config.json").read_text())["model_type"]
    return FAMILIES[family][1].from_pretrained(checkpoint).eval()


@pytest.fixture
def mask():
    return torch.arange(20) < LENGTHS[:, None]


@pytest.fixture
def ids(mask):
    drawn = torch.randint(5, 320, mask.shape, generator=torch.Generator().manual_seed(1))
    return torch.where(mask, drawn, 1)


def encode(encoder, ids, mask):
    layout = TokenLayout(mask)
    return layout.pad(encoder(ids, layout))


def test_hidden_states_and_gradients_equal_hugging_face(backbone, reference, ids, mask):
    encoder = backbone.load(trainable=True).eval()
    ours = encode(encoder, ids, mask)[mask]
    theirs = reference(ids, attention_mask=mask.long()).last_hidden_state[mask]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    (ours**3).sum().backward()
    (theirs**3).sum().backward()
    expected = dict(reference.named_parameters())
    for name, parameter in encoder.named_parameters():
        scale = expected[name].grad.abs().max().clamp(min=1)
        torch.testing.assert_close(
            parameter.grad / scale, expected[name].grad / scale, atol=1e-5, rtol=1e-4
        )


def test_pieces_follow_the_words_that_were_given(backbone):
    words = ["I", "don't", "like", "extraordinary", "films", ",", "really", "!!"]
    tokens = tokenise([words], backbone.folder, 64)
    index = tokens.word_index.tolist()
    assert index[0] == index[-1] == SPECIAL
    assert index[1:-1] == sorted(index[1:-1])
    assert set(index[1:-1]) == set(range(len(words)))
    assert index.count(3) > 2
    assert (tokens.token_ids[0], tokens.token_ids[-1], tokens.silent) == (0, 2, 0)


def test_split_words_give_the_pieces_of_the_text_they_were_split_from(backbone, checkpoint):
    text = "it was a good film really"
    ours = tokenise([text.split()], backbone.folder, 64).token_ids.tolist()
    # Byte-level RoBERTa reads a word at the start of a text as one only after a space.
    theirs = AutoTokenizer.from_pretrained(checkpoint)(f" {text}")["input_ids"]
    assert ours == theirs


def test_the_longest_text_can_be_numbered_and_a_longer_one_is_refused(backbone, reference):
    longest = backbone.shape.longest_text
    assert longest == 64  # 66 positions, of which the first two are padding's
    ids = torch.full((1, longest), 7)
    with torch.no_grad():
        ours = encode(backbone.load(trainable=False).eval(), ids, ids > 0)
        theirs = reference(ids).last_hidden_state
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    backbone.require_positions(longest, "study.yaml", "data.max_pieces")
    with pytest.raises(InputError, match=r"study.yaml: data.max_pieces: found 65, .* at most 64"):
        backbone.require_positions(longest + 1, "study.yaml", "data.max_pieces")


def test_a_method_trains_on_it_and_too_long_texts_are_refused_before(backbone, tiny, tmp_path):
    study = tmp_path / "study.yaml"
    job = Job(study, tiny.store, backbone.folder, "amb", tmp_path, "cpu")
    content = tiny.file.read_text()
    study.write_text(content)
    assert check_method(job)["trainable"] > 0
    study.write_text(content.replace("max_pieces: 48", "max_pieces: 128"))
    open_context.cache_clear()
    with pytest.raises(InputError, match=r"data.max_pieces: found 128, expected at most 64"):
        check_method(job)


def test_a_model_that_would_need_another_encoder_is_refused_by_its_type(tmp_path):
    DebertaV2Config(vocab_size=10).save_pretrained(tmp_path)
    message = r"model_type: found 'deberta-v2', expected bert, roberta, xlm-roberta"
    with pytest.raises(InputError, match=message):
        prepare_backbone(BackboneSettings(str(tmp_path)), tmp_path / "backbone")


@pytest.mark.parametrize("activation", ["relu", "gelu_new", "gelu_pytorch_tanh"])
def test_other_activations_equal_hugging_face(random_bert, tmp_path, activation, mask):
    config = BertConfig.from_pretrained(random_bert, hidden_act=activation)
    torch.manual_seed(0)
    model = BertModel(config).eval()
    model.save_pretrained(tmp_path)
    for file in random_bert.glob("*token*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = BackboneSettings(str(tmp_path))
    prepare_backbone(settings, tmp_path / "prepared")
    encoder = Backbone(tmp_path / "prepared", settings).load(trainable=False).eval()
    ids = torch.randint(1000, 20000, mask.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = encode(encoder, ids, mask)[mask]
        theirs = model(ids, attention_mask=mask.long()).last_hidden_state[mask]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_an_activation_that_we_do_not_have_is_refused(random_bert, tmp_path):
    BertConfig.from_pretrained(random_bert, hidden_act="silu").save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"hidden_act: found 'silu', expected one of gelu, "):
        prepare_backbone(BackboneSettings(str(tmp_path)), tmp_path / "backbone")
