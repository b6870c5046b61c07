# What a Windows agent's container runs. The same as linux/start.sh, which says why; with the same variables and exit codes
# (.github/docs/images.md). For Windows PowerShell 5.1, and ASCII alone: that reads a file without a mark as ANSI.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$exitCode = @{
    Done = 0; SettingsBad = 1; Retryable = 2
    TokenRefused = 10; PoolUnknown = 11; NameInUse = 12; TooLate = 13; NoJob = 14
}
$devOpsResource = '499b84ac-1321-427f-aa17-267ca6975798'
$startPatience = 60
$removalPatience = 30
$secrets = 'AZDO_TOKEN', 'AZDO_TOKEN_FILE', 'AZDO_IDENTITY_ENDPOINT', 'AZDO_IDENTITY_CLIENT_ID'

function Read-Variable([string] $Name, [string] $Default = '') {
    $value = [Environment]::GetEnvironmentVariable($Name)
    if ([string]::IsNullOrWhiteSpace($value)) { return $Default }
    return $value.Trim()
}

function Complain([string] $Line) { [Console]::Error.WriteLine($Line) }

# Ends the script: what is to be undone is in `finally`.
function Fail([int] $Code, [string] $Line) {
    $script:result = $Code
    throw [OperationCanceledException]::new($Line)
}

# --- Settings: everything that is wrong with them is said at once

$url = (Read-Variable 'AZDO_URL').TrimEnd('/')
$pool = Read-Variable 'AZDO_POOL'
$name = Read-Variable 'AZDO_AGENT'
$dispose = Read-Variable 'AZDO_AGENT_DISPOSE' 'false'
$work = Read-Variable 'AZDO_WORK' '_work'
$agentHome = Read-Variable 'AZDO_AGENT_HOME' 'C:\azp\agent'
$givenToken = Read-Variable 'AZDO_TOKEN'
$tokenFile = Read-Variable 'AZDO_TOKEN_FILE'
$expiresAt = Read-Variable 'AZDO_EXPIRES_AT'
$idleMinutes = Read-Variable 'AZDO_IDLE_MINUTES'
$stopSeconds = Read-Variable 'AZDO_STOP_SECONDS' '30'
$identityEndpoint = Read-Variable 'AZDO_IDENTITY_ENDPOINT' 'http://169.254.169.254/metadata/identity/oauth2/token'
$identityClient = Read-Variable 'AZDO_IDENTITY_CLIENT_ID'
$ignored = @(Read-Variable 'VSO_AGENT_IGNORE'; Read-Variable 'AZDO_ENV_IGNORE') + $secrets + 'AZDO_ENV_IGNORE', 'VSO_AGENT_IGNORE'

function Test-Settings {
    $number = '^[0-9]+(\.[0-9]+)?$'
    if ($url -eq '') { 'AZDO_URL is missing: the address of the Azure DevOps organisation.' }
    elseif ($url -match '@') { 'AZDO_URL holds a name or password. The token comes by AZDO_TOKEN or AZDO_TOKEN_FILE.' }
    elseif ($url -notmatch '^https?://.') { "AZDO_URL is not an http(s) address: $url" }
    if ($pool -eq '') { 'AZDO_POOL is missing: the agent pool to register in.' }
    if ($name -eq '') { 'AZDO_AGENT is missing: the name of this agent.' }
    if ($dispose -notmatch '^(true|false)$') { "AZDO_AGENT_DISPOSE is neither true nor false: $dispose" }
    if ($givenToken -eq '' -and $tokenFile -ne '' -and -not (Test-Path -LiteralPath $tokenFile -PathType Leaf)) {
        "AZDO_TOKEN_FILE can't be read: $tokenFile"
    }
    if ($expiresAt -ne '' -and $expiresAt -notmatch '^\d{4}(-\d\d){2}T\d\d(:\d\d){2}(\.\d+)?Z$') {
        "AZDO_EXPIRES_AT is not an ISO 8601 time in UTC (2026-01-31T12:00:00Z): $expiresAt"
    }
    if ($idleMinutes -ne '' -and $idleMinutes -notmatch $number) { "AZDO_IDLE_MINUTES is not a number: $idleMinutes" }
    if ($stopSeconds -notmatch $number) { "AZDO_STOP_SECONDS is not a number: $stopSeconds" }
    foreach ($program in 'config.cmd', 'run.cmd') {
        if (-not (Test-Path -LiteralPath "$agentHome\$program")) {
            "There is no agent in AZDO_AGENT_HOME: $agentHome\$program is missing."
        }
    }
}

function Assert-NotTooLate {
    if ($expiresAt -eq '') { return }
    $now = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ss')
    if ([string]::CompareOrdinal($now, $expiresAt.Substring(0, 19)) -ge 0) {
        Fail $exitCode.TooLate ("This agent was to be started before $expiresAt; by the clock of this node it is ${now}Z. " +
            'Nobody waits for it any more.')
    }
}

# --- Calls

Add-Type -AssemblyName System.Net.Http

# One call; status 0 where none came. Nothing secret is an argument of a program.
function Invoke-Call([string] $Method, [string] $Address, [hashtable] $Headers, [bool] $UseProxy = $true) {
    $handler = New-Object System.Net.Http.HttpClientHandler
    $handler.AllowAutoRedirect = $false
    $handler.UseProxy = $UseProxy
    $client = New-Object System.Net.Http.HttpClient -ArgumentList $handler
    $client.Timeout = [TimeSpan]::FromSeconds(30)
    try {
        $request = New-Object System.Net.Http.HttpRequestMessage -ArgumentList ([System.Net.Http.HttpMethod]::new($Method)), $Address
        foreach ($header in $Headers.GetEnumerator()) {
            [void] $request.Headers.TryAddWithoutValidation($header.Key, $header.Value)
        }
        $response = $client.SendAsync($request).GetAwaiter().GetResult()
        $text = $response.Content.ReadAsStringAsync().GetAwaiter().GetResult()
        $body = $null
        try { $body = ConvertFrom-Json $text } catch { $body = $null }
        return @{ Status = [int] $response.StatusCode; Body = $body; Reason = "status $([int] $response.StatusCode)" }
    }
    catch { return @{ Status = 0; Body = $null; Reason = $_.Exception.GetBaseException().Message } }
    finally { $client.Dispose() }
}

function Read-Field($Object, [string] $Field) {
    if ($null -eq $Object -or $null -eq $Object.PSObject.Properties[$Field]) { return $null }
    return $Object.$Field
}

# A token for now, and how it is shown to the service.
function Get-Token {
    $token = $givenToken
    if ($token -eq '' -and $tokenFile -ne '') {
        $token = ([string] (Get-Content -LiteralPath $tokenFile -Raw -ErrorAction SilentlyContinue)).Trim()
        if ($token -eq '') { Fail $exitCode.TokenRefused "The file of AZDO_TOKEN_FILE holds no token: $tokenFile" }
    }
    if ($token -ne '') {
        $basic = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes(":$token"))
        return @{ Token = $token; Authorization = "Basic $basic" }
    }
    $address = "${identityEndpoint}?api-version=2018-02-01&resource=$devOpsResource"
    if ($identityClient -ne '') { $address += "&client_id=$identityClient" }
    foreach ($pause in 0.2, 0.5, 1, 2, 0) {
        $answer = Invoke-Call 'GET' $address @{ Metadata = 'true' } $false
        $token = [string] (Read-Field $answer.Body 'access_token')
        if ($answer.Status -eq 200 -and $token -ne '') { return @{ Token = $token; Authorization = "Bearer $token" } }
        if ($answer.Status -notin 0, 404, 410, 429 -and $answer.Status -lt 500) { break }
        Start-Sleep -Milliseconds ($pause * 1000)
    }
    Fail $exitCode.TokenRefused ('There is no AZDO_TOKEN, and the managed identity of this machine gave no token for Azure DevOps ' +
        "($($answer.Reason)).")
}

# A call to Azure DevOps that outlasts a short absence of it.
function Invoke-DevOps([string] $Method, [string] $Path, [int] $Patience) {
    $until = [DateTime]::UtcNow.AddSeconds($Patience)
    $delay = 0.1
    while ($true) {
        $answer = Invoke-Call $Method "$url$Path" @{
            Authorization = (Get-Token).Authorization
            Accept = 'application/json;api-version=7.1-preview'
            'X-TFS-FedAuthRedirect' = 'Suppress'
        }
        $status = $answer.Status
        if ($status -in 203, 401, 403 -or ($status -ge 300 -and $status -lt 400)) {
            Fail $exitCode.TokenRefused "$url refused the token: it is not valid, or it may not register agents in pool `"$pool`"."
        }
        if ($status -notin 0, 408, 429 -and $status -lt 500) { return $answer }
        if ([DateTime]::UtcNow -ge $until) {
            Fail $exitCode.Retryable "Azure DevOps ($url) does not answer: $($answer.Reason)"
        }
        Start-Sleep -Milliseconds ($delay * 1000)
        $delay = [Math]::Min(2, $delay * 2)
    }
}

function Get-List([string] $Path, [int] $Patience = $startPatience) {
    $answer = Invoke-DevOps 'GET' $Path $Patience
    if ($answer.Status -eq 404) {
        Fail $exitCode.SettingsBad "AZDO_URL is not an Azure DevOps organisation: $url has no agent pools (status 404)."
    }
    if ($answer.Status -ne 200 -or $null -eq (Read-Field $answer.Body 'count')) {
        Fail $exitCode.Retryable "$url gave an answer that is not one of Azure DevOps (status $($answer.Status))."
    }
    return @(Read-Field $answer.Body 'value')
}

# --- The life of an agent

$encodedName = [Uri]::EscapeDataString($name)

# A name is used once.
function Get-FreePool {
    $found = Get-List "/_apis/distributedtask/pools?poolName=$([Uri]::EscapeDataString($pool))" |
        Where-Object { $_ -and $_.name -eq $pool } | Select-Object -First 1
    if (-not $found) { Fail $exitCode.PoolUnknown "There is no agent pool `"$pool`" in this organisation." }
    $path = "/_apis/distributedtask/pools/$($found.id)"
    if (Get-List "$path/agents?agentName=$encodedName" | Where-Object { $_ -and $_.name -eq $name }) {
        Fail $exitCode.NameInUse ("The name `"$name`" is in use: pool `"$pool`" has an agent of this name already, online or not. " +
            'A name is used once.')
    }
    $jobs = Get-List "$path/jobrequests?completedRequestCount=100&agentName=$encodedName"
    if ($jobs | Where-Object { $_ -and (Read-Field (Read-Field $_ 'reservedAgent') 'name') -eq $name }) {
        Fail $exitCode.NameInUse ("The name `"$name`" was used: an agent of this name has taken a job in pool `"$pool`". " +
            'A name is used once.')
    }
    return $path
}

# By variables, which the agent takes out of its environment; of this command alone.
function Invoke-Config([hashtable] $Variables, [string[]] $Arguments) {
    $all = $Variables + @{ AUTH = 'pat'; TOKEN = (Get-Token).Token }
    foreach ($entry in $all.GetEnumerator()) {
        [Environment]::SetEnvironmentVariable("VSTS_AGENT_INPUT_$($entry.Key)", $entry.Value)
    }
    try {
        & "$agentHome\config.cmd" @Arguments | Out-Host
        return $LASTEXITCODE
    }
    finally {
        foreach ($key in $all.Keys) { [Environment]::SetEnvironmentVariable("VSTS_AGENT_INPUT_$key", $null) }
    }
}

function Register-Agent {
    $ended = Invoke-Config @{ URL = $url; POOL = $pool; AGENT = $name; WORK = $work } '--unattended', '--acceptTeeEula'
    $script:registered = $ended -eq 0 -or (Test-Path -LiteralPath "$agentHome\.agent")
    if ($ended -eq 0) { return }
    if (-not $registered) { [void] (Get-FreePool) }
    Fail $exitCode.Retryable "The agent could not be registered: config.cmd ended with exit code $ended."
}

function Unregister-Agent {
    $until = [DateTime]::UtcNow.AddSeconds($removalPatience)
    # How it goes does not change how the agent ended.
    $before = $result
    do {
        $ended = 1
        try { $ended = Invoke-Config @{} 'remove', '--unattended' } catch { Complain $_.Exception.Message }
        $script:result = $before
        if ($ended -eq 0) { Write-Output "unregistered $name"; return }
        Start-Sleep -Seconds 1
    } while ([DateTime]::UtcNow -lt $until)
    Complain "The registration of agent `"$name`" in pool `"$pool`" could not be removed. The app removes it; else do so by hand."
}

# The service decides: it removes no agent that has a job. Whether there is nothing more to look for.
function Undo-IdleAgent([string] $PoolPath) {
    $found = Get-List ("$PoolPath/agents?agentName=$encodedName&includeAssignedRequest=true" +
        '&includeLastCompletedRequest=true') 0 | Where-Object { $_ -and $_.name -eq $name } | Select-Object -First 1
    if ($found) {
        if ((Read-Field $found 'assignedRequest') -or (Read-Field $found 'lastCompletedRequest')) { return $true }
        $status = (Invoke-DevOps 'DELETE' "$PoolPath/agents/$($found.id)" 0).Status
        if ($status -ne 404 -and ($status -lt 200 -or $status -ge 300)) { return $false }
    }
    $script:noJob = $true
    return $true
}

function Invoke-Agent([string] $PoolPath) {
    $start = @{ FilePath = "$agentHome\run.cmd"; NoNewWindow = $true; PassThru = $true }
    if ($dispose -eq 'true') { $start.ArgumentList = '--once' }
    $script:agent = Start-Process @start
    # Without its handle, Windows PowerShell forgets the exit code.
    [void] $agent.Handle
    $lookAt = [DateTime]::MaxValue
    if ($idleMinutes -ne '') { $lookAt = [DateTime]::UtcNow.AddMinutes([double] $idleMinutes) }
    while (-not $agent.WaitForExit(1000)) {
        if ([DateTime]::UtcNow -lt $lookAt) { continue }
        $lookAt = [DateTime]::UtcNow.AddSeconds(15)
        # The service may be away: then it is asked again.
        try { if (Undo-IdleAgent $PoolPath) { $lookAt = [DateTime]::MaxValue } } catch { $script:result = $exitCode.Done }
        if ($noJob) {
            $script:registered = $false
            # Its registration is gone: it ends by itself, or is ended.
            if (-not $agent.WaitForExit([int] ([double] $stopSeconds * 1000))) { Stop-Agent }
            Fail $exitCode.NoJob ("No job came for agent `"$name`" within $idleMinutes minutes. " +
                "It was removed from pool `"$pool`".")
        }
    }
    return $agent.ExitCode
}

function Stop-Agent {
    if ($null -eq $agent -or $agent.HasExited) { return }
    $ErrorActionPreference = 'SilentlyContinue'
    & taskkill.exe /PID $agent.Id /T /F 2>&1 | Out-Null
}

$result = $exitCode.Done
$agent = $null
$registered = $false
$noJob = $false
try {
    $problems = @(Test-Settings)
    if ($problems.Count -gt 0) { Fail $exitCode.SettingsBad ($problems -join [Environment]::NewLine) }
    Assert-NotTooLate
    foreach ($secret in $secrets) { [Environment]::SetEnvironmentVariable($secret, $null) }
    $env:VSO_AGENT_IGNORE = (($ignored -join ',') -split '[,\s]+' | Where-Object { $_ }) -join ','
    if ($tokenFile -ne '') { $tokenFile = (Resolve-Path -LiteralPath $tokenFile).ProviderPath }
    Set-Location -LiteralPath $agentHome
    $poolPath = Get-FreePool
    Assert-NotTooLate
    Register-Agent
    Write-Output "registered as $name in pool $pool, listening for jobs"
    $ended = Invoke-Agent $poolPath
    if ($ended -eq 1) {
        Fail $exitCode.SettingsBad 'The agent ended with exit code 1: its registration was removed, or it could not start.'
    }
    if ($ended -ne 0) { Fail $exitCode.Retryable "The agent ended with exit code $ended." }
}
catch {
    if ($_.Exception.GetBaseException() -isnot [OperationCanceledException]) { $result = $exitCode.Retryable }
    Complain ($_.Exception.GetBaseException().Message)
}
finally {
    Stop-Agent
    if ($registered) { Unregister-Agent }
}
exit $result
