using System.Collections.Concurrent;
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
    static readonly ConcurrentBag<CallSet> Free = [];

    readonly List<ValueTask> calls = [];

    CallSet()
    {
    }

    /// <summary>An empty one; waiting for all gives it back.</summary>
    public static CallSet Take() => Free.TryTake(out var set) ? set : new CallSet();

    public void Add(ValueTask call)
    {
        if (call.IsCompletedSuccessfully) call.GetAwaiter().GetResult();
        else calls.Add(call);
    }

    /// <summary>Waits for all; fails, when all have ended, as the first that failed.</summary>
    public ValueTask WhenAllAsync()
    {
        if (calls.Count > 0) return WaitAsync();
        Free.Add(this);
        return ValueTask.CompletedTask;
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is thrown when all have ended.")]
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WaitAsync()
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

        calls.Clear();
        Free.Add(this);
        first?.Throw();
    }
}
