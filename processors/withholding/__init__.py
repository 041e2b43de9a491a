"""Why a due step is not sent: the checks of R15, a module per area; ``processors.reasons`` has their order."""
