"""Library that the services, the satellite and the command share."""

import os

# ONNX Runtime sends telemetry to its maker from its import on, unless this forbids it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
