"""TLS certificates for tests, made on the spot."""

from pathlib import Path

import trustme


class Certificates:
    """PEM files: an authority, a service and a client that it signed, a client that it did not."""

    def __init__(self, folder: Path) -> None:
        authority, another = trustme.CA(), trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        self.service = _issue(authority, "127.0.0.1", folder / "service.pem")
        self.client = _issue(authority, "satellite", folder / "client.pem")
        self.stranger = _issue(another, "satellite", folder / "stranger.pem")


def _issue(authority: trustme.CA, name: str, path: Path) -> Path:
    authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(path))
    return path
