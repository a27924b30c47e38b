"""Tensors that stay on the device give what `OnnxSession.run` gives, which copies them there and back."""

from __future__ import annotations

import numpy as np
import onnxruntime

from models.cuda_libraries import CUDA, cuda_obstacle
from models.onnx_session import OnnxSession
from models.package import find_package


def test_a_bound_run_answers_as_an_unbound_one() -> None:
    path = find_package("quickdraw-345").model_path
    session = OnnxSession(path, device="cuda")
    ink = np.random.default_rng(7).random((1, 1, 28, 28), np.float32)
    expected = session.run({"pixel_values": ink})["logits"]

    assert cuda_obstacle() is None  # and has loaded the libraries
    bound = onnxruntime.InferenceSession(str(path), providers=[CUDA], enable_fallback=0)
    binding = bound.io_binding()
    on_device = onnxruntime.OrtValue.ortvalue_from_numpy(ink, "cuda", 0)
    binding.bind_ortvalue_input("pixel_values", on_device)
    binding.bind_output("logits", "cuda", 0)
    bound.run_with_iobinding(binding)
    logits = binding.get_outputs()[0]
    assert logits.device_name() == "cuda"
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-5)

    # The next frame goes into the same memory.
    on_device.update_inplace(ink[..., ::-1].copy())
    bound.run_with_iobinding(binding)
    expected = session.run({"pixel_values": ink[..., ::-1].copy()})["logits"]
    np.testing.assert_allclose(binding.get_outputs()[0].numpy(), expected, atol=1e-5)
