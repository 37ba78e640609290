"""Word-pieces know their words, and cut texts are counted."""

from amb.data.tokenisation import SPECIAL, tokenise


def test_pieces_know_their_word_and_special_tokens_have_none(tiny):
    tokens = tokenise([["unwatchable", "film"], ["good"]], tiny.backbone, 16)
    first, second = (
        tokens.word_index[a:b].tolist()
        for a, b in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    )
    assert first[0] == first[-1] == SPECIAL
    assert first[1:-1] == sorted(first[1:-1])
    assert set(first[1:-1]) == {0, 1}
    assert len(first) > 4  # "unwatchable" is more than one piece
    assert second == [SPECIAL, 0, SPECIAL]


def test_texts_that_are_too_long_are_cut_before_the_last_token_and_counted(tiny):
    texts = [["good"] * 3, ["good"] * 9, ["good"] * 4]
    tokens = tokenise(texts, tiny.backbone, 6)
    assert tokens.cut == 1
    lengths = (tokens.offsets[1:] - tokens.offsets[:-1]).tolist()
    assert lengths == [5, 6, 6]
    assert len({tokens.token_ids[end - 1] for end in tokens.offsets[1:]}) == 1  # [SEP]
