"""The config providers that every release can use, a file each; `provider.BUILT_IN` names them."""
