"""What a worker's process is given of the server's environment: what makes Python and requests work, and no more."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

__all__ = ["PASSED_ON", "of_worker"]

PASSED_ON = (
    # finding programs and libraries, and their language
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT"),
    # certificates, and the way out where there is only one
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    # the CDK's own switch for a public cloud
    "DEPLOYMENT_MODE",
)
"""The variables that a worker sees, if the server has them."""


def of_worker(
    environment: Mapping[str, str], paths: Sequence[str], *, allow_custom_code: bool, folder: str
) -> dict[str, str]:
    """Return the environment of a worker. `paths` go on its path; `folder` is its home.

    NETRC is set since requests would otherwise send the passwords of the server's user to hosts that it knows.
    OpenBLAS, which comes with pandas, would start a thread for each core: a process with threads must not be forked,
    and their stacks count as memory of each job. LANGUAGE spares argparse the search for translations of its words,
    for each of them.
    """
    passed = {name: environment[name] for name in PASSED_ON if name in environment}
    return {
        **passed,
        "AIRBYTE_ENABLE_UNSAFE_CODE": "true" if allow_custom_code else "false",
        "HOME": folder,
        "LANGUAGE": "C",
        "NETRC": os.devnull,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "TMPDIR": folder,
    }
