module example.com/own

go 1.26.0

require github.com/fallacy-dev/fallacy v0.0.0
