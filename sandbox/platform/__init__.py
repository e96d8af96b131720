"""What surrounds the registry operator in a cluster: the platform operator's part, OpenShift's controllers and logins, its router, and API faults."""
