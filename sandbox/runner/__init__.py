"""The side of the sandbox that runs untrusted Python. Standard library only: it works with any Python from 3.10 on."""
