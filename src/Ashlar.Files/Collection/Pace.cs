namespace Ashlar.Files;

/// <summary>How fast work in the background may go, and whether it may.</summary>
sealed class Pace(TimeProvider clock, double? stepsPerSecond)
{
    readonly Lock gate = new();
    TaskCompletionSource? paused;

    public bool IsPaused
    {
        get => Volatile.Read(ref paused) is not null;
        set
        {
            lock (gate)
            {
                if (value)
                {
                    paused ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                    return;
                }

                paused?.SetResult();
                paused = null;
            }
        }
    }

    /// <summary>Before each step.</summary>
    public async Task NextAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (stepsPerSecond is { } rate) await Task.Delay(TimeSpan.FromSeconds(1 / rate), clock, cancellationToken);
        while (Volatile.Read(ref paused) is { } pause) await pause.Task.WaitAsync(cancellationToken);
    }
}
