"""What layers and ``keras.ops`` have in common, composed of the graph's operators."""
