from hypothesis import settings

# No deadline: how long a test takes says more about the machine than about the code.
settings.register_profile("sw2", deadline=None, max_examples=60)
settings.load_profile("sw2")
