using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// A device that is being made a copy of a member while that is in use. What it does not take harms nobody: it is given up.
/// </summary>
sealed class MemberTwin(IBlockDevice device)
{
    Exception? failure;

    public IBlockDevice Device => device;

    /// <summary>Why it has been given up, or null.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>Waits for a call to the device; a failure is remembered.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask TryAsync(ValueTask call)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (BlockDeviceException e)
        {
            Interlocked.CompareExchange(ref failure, e, null);
        }
    }
}
