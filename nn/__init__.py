if not __name__.startswith("autograd_core."):
    raise ImportError("import it as autograd_core.nn: 'from autograd_core import nn'")
