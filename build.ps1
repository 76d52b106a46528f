#!/usr/bin/env pwsh
# Thin wrapper of the commands in the README:  ./build.ps1 [build | test | study | perf | pack] [arguments of that command]
param(
    [ValidateSet('build', 'test', 'study', 'perf', 'pack')]
    [string] $Task = 'build',

    [Parameter(ValueFromRemainingArguments = $true)]
    [string[]] $Rest = @()
)

$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

switch ($Task) {
    'build' { dotnet build -c Release Engine.sln @Rest }
    'test' { dotnet test -c Release @Rest }
    'study' { dotnet run -c Release --project src/Cli -- study @Rest }
    'perf' { dotnet run -c Release --project perf -- @Rest }
    # For this platform, whose libtorch it takes: then it is compiled ahead.
    'pack' { dotnet pack -c Release src/Cli -r ([System.Runtime.InteropServices.RuntimeInformation]::RuntimeIdentifier) @Rest }
}

exit $LASTEXITCODE
