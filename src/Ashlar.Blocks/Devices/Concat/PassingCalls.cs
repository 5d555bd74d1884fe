using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>Counts calls under way, so that somebody can wait for the end of those that have begun, whatever begins after them.</summary>
sealed class PassingCalls
{
    readonly Lock gate = new();
    readonly long[] underWay = new long[2];
    readonly AsyncLock turn = new();
    int current;
    SharedCompletion? passed;

    /// <summary>A call begins.</summary>
    /// <returns>What it gives to <see cref="Exit"/>.</returns>
    public int Enter()
    {
        lock (gate)
        {
            underWay[current]++;
            return current;
        }
    }

    /// <summary>It has ended.</summary>
    public void Exit(int entered)
    {
        SharedCompletion? done = null;
        lock (gate)
        {
            if (--underWay[entered] == 0 && entered != current) (done, passed) = (passed, null);
        }

        done?.SetResult();
    }

    /// <summary>Waits until those have ended that began before.</summary>
    public async ValueTask PassAsync()
    {
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            ValueTask waiting;
            lock (gate)
            {
                var before = current;
                current = 1 - current;
                if (underWay[before] == 0) return;
                waiting = (passed = new SharedCompletion()).Task;
            }

            await waiting.ConfigureAwait(false);
        }
        finally
        {
            turn.Exit();
        }
    }
}
