using Microsoft.Extensions.Logging;

namespace Ashlar.KeyValue.Extensions.Tests;

/// <summary>A log that keeps its lines.</summary>
sealed class RecordedLog : ILoggerProvider, ILogger
{
    readonly List<(EventId Event, LogLevel Level, string Text)> lines = [];

    /// <summary>Number of an event that it fails to write.</summary>
    public int? Lost { get; init; }

    /// <summary>Called with each line.</summary>
    public Action? Writing { get; set; }

    public IReadOnlyList<(EventId Event, LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (lines) return [.. lines];
        }
    }

    /// <summary>Numbers of the events of stores, in order.</summary>
    public IEnumerable<int> StoreEvents => Lines.Select(line => line.Event.Id).Where(id => id is >= 1000 and < 1100);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id == Lost) throw new IOException("The log's disk is full.");
        Writing?.Invoke();
        lock (lines) lines.Add((eventId, logLevel, formatter(state, exception)));
    }

    public void Dispose()
    {
    }
}
