"""The demo model: a very small one that answers on this machine, in a process of its own."""
