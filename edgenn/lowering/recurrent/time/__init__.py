"""Which axes of a graph's tensors are time, and what its ops do along them."""
