using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>Counts who is at work on a device of a set, so that it can be handed out when nobody is.</summary>
sealed class DeviceUse
{
    const int Ended = 1 << 29;

    readonly SharedCompletion idle = new();
    int underWay;
    int hasEnded;

    /// <summary>Something begins; pair it with <see cref="Exit"/>.</summary>
    /// <exception cref="DeviceIOException">The device is in other hands.</exception>
    public void Enter(IBlockDevice device)
    {
        if (Interlocked.Increment(ref underWay) < Ended) return;
        Exit();
        throw new DeviceIOException(device.Name, "it does not belong to the set any more", isTransient: false);
    }

    public void Exit()
    {
        if (Interlocked.Decrement(ref underWay) == Ended && Interlocked.Exchange(ref hasEnded, 1) == 0) idle.SetResult();
    }

    /// <summary>Nothing begins any more. Ends when nothing is under way; called once.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask EndAsync()
    {
        // One more for ourselves, so that the end is noticed also where nothing is under way.
        var now = Interlocked.Add(ref underWay, Ended + 1);
        Invariant.Require(now < 2 * Ended);
        Exit();
        await idle.Task.ConfigureAwait(false);
    }
}
