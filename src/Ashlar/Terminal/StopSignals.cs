using System.Runtime.InteropServices;

namespace Ashlar.CommandLine;

/// <summary>
/// Signals that ask the program to end. The first asks, and a server then closes what it has open; one that comes later ends the process at
/// once.
/// </summary>
sealed class StopSignals(TimeProvider time) : IDisposable
{
    /// <summary>
    /// What comes within it is the same stop once more: timeout(1) signals the program and then its group, a terminal signals the program
    /// as well as a wrapper that passes it on.
    /// </summary>
    public static readonly TimeSpan OneStop = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    readonly CancellationTokenSource stop = new();
    long askedAt;

    /// <summary>Cancelled when the program is to end.</summary>
    public CancellationToken Token => stop.Token;

    public void Handle(PosixSignalContext context)
    {
        lock (gate)
        {
            if (stop.IsCancellationRequested)
            {
                context.Cancel = time.GetElapsedTime(askedAt) < OneStop;
                return;
            }

            context.Cancel = true;
            askedAt = time.GetTimestamp();
            // Elsewhere: whoever waits goes on within the call, while a second signal would wait here.
            _ = stop.CancelAsync();
        }
    }

    public void Dispose() => stop.Dispose();
}
