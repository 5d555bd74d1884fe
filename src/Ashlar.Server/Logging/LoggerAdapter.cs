using Ashlar.Storage;
using Ashlar.Transport;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Brings what the web server has to say into our log: warnings and worse.</summary>
sealed class LoggerAdapter(ServerLog log, ReportLimiter limiter) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    // What a client, the network or the disk did is told by its message. Anything else is a bug, and wants its stack.
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel) || !limiter.Admit()) return;
        var cause = exception switch
        {
            null => "",
            IOException or System.Net.Sockets.SocketException or AshlarException or OperationCanceledException => $": {exception.Message}",
            _ => $": {exception}",
        };
        log.Write(new(logLevel, LogEvents.WebServer, $"api: {formatter(state, exception)}{cause}") { Protocol = "api" });
    }

    public void Dispose()
    {
    }
}
