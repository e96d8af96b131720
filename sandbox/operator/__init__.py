"""The model registry operator of a sandbox: admission, conversion and reconciliation as the product's own operator does them."""
