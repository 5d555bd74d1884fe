using System.Runtime.ExceptionServices;

namespace Ashlar.TestKit;

/// <summary>More blocking work than the .NET thread pool has threads.</summary>
public sealed class BlockedThreadPool : IDisposable
{
    readonly ManualResetEventSlim release = new();
    readonly int maxThreads, maxPorts;
    volatile bool hasRunMore;

    /// <summary>Blocks it.</summary>
    /// <param name="isFrozen">
    /// Whether the pool gets no more threads meanwhile, so that whoever waits for it waits for ever; such a test must not run beside
    /// others. Otherwise it adds one now and then, and serves timers before what blocks it: a test that depended on it fails and does
    /// not hang.
    /// </param>
    public BlockedThreadPool(bool isFrozen = false)
    {
        ThreadPool.GetMaxThreads(out maxThreads, out maxPorts);
        if (isFrozen && !ThreadPool.SetMaxThreads(Math.Max(Environment.ProcessorCount, ThreadPool.ThreadCount), maxPorts))
            throw new InvalidOperationException("The thread pool takes no limit.");
        for (var i = ThreadPool.ThreadCount + 16; i > 0; i--) ThreadPool.UnsafeQueueUserWorkItem(_ => release.Wait(), null);
        ThreadPool.UnsafeQueueUserWorkItem(_ => hasRunMore = true, null);
        if (isFrozen && !SpinWait.SpinUntil(() => IsFull, Waiting.Limit)) throw new TimeoutException("the thread pool does not fill up");
    }

    /// <summary>Whether the pool has got to the end of what blocks it.</summary>
    public bool HasRunMore => hasRunMore;

    static bool IsFull
    {
        get
        {
            ThreadPool.GetAvailableThreads(out var available, out _);
            return available == 0;
        }
    }

    /// <summary>Runs something on a thread of its own; what it throws is thrown here.</summary>
    public static void OnOwnThread(Func<Task> client)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                client().GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Lets it go on.</summary>
    public void Dispose()
    {
        ThreadPool.SetMaxThreads(maxThreads, maxPorts);
        release.Set();
    }
}
