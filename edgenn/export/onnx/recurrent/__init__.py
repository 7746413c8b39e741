"""What ONNX's LSTM, GRU and RNN need besides the node: weights, activations, masks, pairs."""
