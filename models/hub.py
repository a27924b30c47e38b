"""Files of the Hugging Face hub, fetched into its own cache: resumed after a cut, verified, and told in one line.

Called before the first frame, for checkpoints to export and for ready ONNX repositories. The hub's own environment
variables are honoured: HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE.
"""

from __future__ import annotations

import hashlib
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from models.hub_revisions import is_commit, known_commit, remember_commit, revisions_file
from models.manifest import file_sha256

# Of a checkpoint: configurations, tokenizers, safe weights. Pickles are fetched only where there is nothing else.
PAPERS = ("*.json", "*.txt", "*.safetensors")
PICKLES = ("pytorch_model*.bin",)
READY_ONNX = ("config.json", "preprocessor_config.json", "onnx/model.onnx", "onnx/model.onnx_data")
_ATTEMPTS = 3
_UNAUTHORISED = 401
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Files of a repository at one commit.

    Attributes:
        folder: where they lie, in the hub's cache.
        commit: 40 hexadecimal digits.
        remark: for the user, on which commit it is and why.
    """

    folder: Path
    commit: str
    remark: str


def fetch_checkpoint(repository: str, revision: str = "main", *, renew: bool = False) -> Fetched:
    """The files of a checkpoint, from the cache where they are there.

    Args:
        repository: `owner/name`.
        revision: a commit, or a branch or tag: then the commit that it named when it was first fetched.
        renew: take the commit that a branch or tag names today, and keep that from now on.

    Raises:
        ModelError: the hub cannot be reached, has no such repository or does not give it, or a file came damaged.
    """
    fetched = _at_its_commit(repository, revision, PAPERS, renew=renew)
    if not any(fetched.folder.glob("*.safetensors")):
        _snapshot(repository, fetched.commit, PICKLES)
        if not any(any(fetched.folder.glob(pattern)) for pattern in PICKLES):
            raise ModelError(
                f"{repository}: has no weights at commit {fetched.commit}, or they have not come yet: "
                f"expected *.safetensors or {PICKLES[0]}"
            )
    return fetched


def fetch_onnx(repository: str, revision: str = "main") -> Fetched:
    """The files of a ready ONNX repository: `config.json`, `preprocessor_config.json`, `onnx/model.onnx`.

    Raises:
        ModelError: as `fetch_checkpoint`.
    """
    return _at_its_commit(repository, revision, READY_ONNX, renew=False)


def hide_download_bars() -> None:
    """Let downloads show no progress from here on."""
    try:
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        # Nothing is downloaded then.
        return
    disable_progress_bars()


def _at_its_commit(repository: str, revision: str, patterns: tuple[str, ...], *, renew: bool) -> Fetched:
    if is_commit(revision):
        return Fetched(_snapshot(repository, revision, patterns), revision, f"{repository} at commit {revision}")
    commit = None if renew else known_commit(repository, revision)
    if commit is not None:
        mend = f"{revisions_file()} has it from an earlier download; delete its line there to take another"
        return Fetched(
            _snapshot(repository, commit, patterns, mend),
            commit,
            f"{repository} at commit {commit}, which {revision!r} was at the first download ({revisions_file()})",
        )
    folder = _snapshot(repository, revision, patterns)
    remember_commit(repository, revision, folder.name)
    remark = f"{repository} at commit {folder.name}, which {revision!r} is now; kept for later in {revisions_file()}"
    return Fetched(folder, folder.name, remark)


def _snapshot(repository: str, revision: str, patterns: tuple[str, ...], mend: str = "check its name") -> Path:
    try:
        import huggingface_hub
        from huggingface_hub import errors
        from requests import exceptions
    except ImportError as error:
        raise ModelError(
            f"{repository}: fetching from the hub needs huggingface-hub: pip install 'mirilla[export]'"
        ) from error
    if not sys.stderr.isatty():
        hide_download_bars()
    # Only where a pattern names a folder is anything but the top of the repository meant.
    elsewhere = None if any("/" in pattern for pattern in patterns) else ["*/*"]
    try:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with warnings.catch_warnings():
                    # Of a disk that is too small, and a line later the same as an error.
                    warnings.filterwarnings("ignore", "Not enough free disk space")
                    folder = Path(
                        huggingface_hub.snapshot_download(
                            repository, revision=revision, allow_patterns=list(patterns), ignore_patterns=elsewhere
                        )
                    )
                break
            except exceptions.ChunkedEncodingError:
                # Broke off; the next attempt goes on where this one ended.
                if attempt == _ATTEMPTS:
                    raise
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{repository}: the hub wants an agreement first: accept it on its page, then `hf auth login`"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise _unknown(repository) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"{repository}: has no revision {revision!r}; {mend}") from error
    except errors.HFValidationError as error:
        raise ModelError(f"{repository!r} is neither a folder nor an id of the hub, which is owner/name") from error
    except errors.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code == _UNAUTHORISED:
            raise _unknown(repository) from error
        raise _unreachable(repository, error) from error
    except (
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        exceptions.RequestException,
    ) as error:
        raise _unreachable(repository, error) from error
    except OSError as error:
        raise _damage(repository, error) from error
    _verify(repository, folder)
    return folder


def _unknown(repository: str) -> ModelError:
    return ModelError(
        f"{repository}: the hub knows no such repository, or it is private (then `hf auth login`); check the id"
    )


def _unreachable(repository: str, error: Exception) -> ModelError:
    return ModelError(
        f"{repository}: the hub cannot be reached ({_reason(error)}) and the cache does not have it; "
        "give a folder with the checkpoint, or a ready package"
    )


def _damage(repository: str, error: OSError) -> ModelError:
    if "Consistency check failed" in str(error):
        return ModelError(f"{repository}: a file came incomplete; fetch it again")
    return ModelError(f"{repository}: cannot be kept in the cache: {error.strerror or error}; make room there")


def _verify(repository: str, folder: Path) -> None:
    """Compare every file with the checksum that the hub announced, which is how the cache names it."""
    for path in folder.rglob("*"):
        stored = path.resolve()
        if path.is_file() and not _has_its_checksum(stored):
            stored.unlink()
            path.unlink(missing_ok=True)
            raise ModelError(
                f"{repository}: {path.name} does not have the checksum that the hub announced; fetch it again"
            )


def _has_its_checksum(stored: Path) -> bool:
    """By SHA-256 for large files, and as git names a file (SHA-1 of a header and the content) for small ones."""
    if _SHA256.fullmatch(stored.name):
        return file_sha256(stored) == stored.name
    if _SHA1.fullmatch(stored.name):
        content = stored.read_bytes()
        header = b"blob %d\0" % len(content)
        return hashlib.sha1(header + content, usedforsecurity=False).hexdigest() == stored.name
    return True


def _reason(error: BaseException) -> str:
    """The innermost cause, in its own words."""
    if "HF_HUB_OFFLINE" in str(error) or "offline" in type(error).__name__.lower():
        return "HF_HUB_OFFLINE is set"
    inner = error.__cause__ or error.__context__
    if inner is not None:
        return _reason(inner)
    text = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return text[0][:120] if text else type(error).__name__
