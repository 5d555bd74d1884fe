using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Brings what the web server has to say into our log: warnings and worse.</summary>
sealed class LoggerAdapter(ServerLog log) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) log.Write($"api: {formatter(state, exception)}{(exception is null ? "" : $": {exception}")}");
    }

    public void Dispose()
    {
    }
}
