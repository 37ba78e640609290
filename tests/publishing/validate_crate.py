"""Validate an RO-Crate offline, run by a Python that has roc-validator and rocrate.

The validator wants the context of RO-Crate 1.1 from the network, or from its cache. The cache is
filled with the context that the package ``rocrate`` brings: a later one, with two names of
Bioschemas as 1.1 has them.
"""

import io
import sys
from importlib.resources import files

import requests
import requests_cache
import urllib3
from rocrate_validator import models, services

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Bundled(requests.adapters.HTTPAdapter):
    def send(self, request, **_):
        text = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        body = io.BytesIO(text.replace(b"bioschemas.org/terms/", b"bioschemas.org/"))
        headers = {"Content-Type": "application/ld+json"}
        raw = urllib3.HTTPResponse(body, headers, 200, preload_content=False)
        raw._request_url = request.url
        return self.build_response(request, raw)


def validate(crate, cache):
    session = requests_cache.CachedSession(cache_name=cache)
    session.mount("https://w3id.org/", Bundled())
    session.get(CONTEXT, headers={"Accept": "application/ld+json, application/json"})
    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier="workflow-run-crate-0.5",
        offline=True,
        cache_path=cache,
        requirement_severity=models.Severity.REQUIRED,
    )
    return services.validate(settings).get_issues()


if __name__ == "__main__":
    issues = validate(*sys.argv[1:])
    for issue in issues:
        print(issue.check.identifier, issue.message, issue.violatingEntity)
    sys.exit(bool(issues))
