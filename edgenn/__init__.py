"""edgenn: Keras models on the edge, and proof that they still do what they did."""
