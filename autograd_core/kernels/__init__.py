"""Native kernels: what compiled code is made of.  Nothing here is imported until something has to be compiled."""
