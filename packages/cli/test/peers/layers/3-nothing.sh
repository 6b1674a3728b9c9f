# Leave $1 as it is: an empty layer.
:
