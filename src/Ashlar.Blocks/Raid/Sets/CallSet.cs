using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// Calls under way at the same time. Nothing that they use may be given back before all have ended, however one of them ends.
/// </summary>
sealed class CallSet
{
    readonly List<ValueTask> calls = [];

    public void Add(ValueTask call) => calls.Add(call);

    /// <summary>Waits for all; fails, when all have ended, as the first that failed.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "It is thrown when all have ended.")]
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WhenAllAsync()
    {
        ExceptionDispatchInfo? first = null;
        foreach (var call in calls)
        {
            try
            {
                await call.ConfigureAwait(false);
            }
            catch (Exception e)
            {
                first ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        first?.Throw();
    }
}
