"""What answers over HTTP: pages behind signed links and hooks of providers; the console's own pages beside them."""
