using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Writes into the log what work on the threads of the data plane throws, which is always a bug; the thread goes on.</summary>
sealed class ThreadFailures : IDisposable
{
    readonly ServerLog log;

    public ThreadFailures(ServerLog log)
    {
        this.log = log;
        WorkerThreads.UnhandledWork += Write;
    }

    public void Dispose() => WorkerThreads.UnhandledWork -= Write;

    void Write(object? sender, UnhandledExceptionEventArgs failure) =>
        log.Write(new(LogLevel.Error, LogEvents.Bug, $"{(sender as WorkerThreads)?.Name}: a bug: {failure.ExceptionObject}"));
}
