using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Options;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>
/// Copies the log to the archive, behind the writers' backs: it reads what is durable, from the files, and nothing waits for it.
/// </summary>
/// <remarks>
/// Every failure is kept for the statistics and tried again with the next tick. After one, the directory is looked at
/// anew: whether the last part counts is known only from there. A bug, which is a broken invariant or anything else that neither a disk
/// nor a closed store throws, is not tried again before the next opening, and told when the store is closed. What a pass does:
/// <see cref="ArchiveClaim"/>, <see cref="LogCopy"/>.
/// </remarks>
sealed class LogArchiver : IDisposable
{
    readonly ArchivedStore store;
    readonly KeyValueOptions options;
    readonly ArchiveDirectory directory;
    readonly LogCopy copy;
    readonly Func<ulong> durableSequence;
    readonly Action sync;
    readonly Lock passGate = new();
    readonly object gate = new();
    readonly ITimer timer;
    readonly Thread? thread;
    ArchiveClaim? claim;
    Exception? failure;
    bool hasEnded;
    bool isWoken;
    bool isTick;
    bool isStopping;

    /// <summary>Prepares the archive of a store; nothing is done before <see cref="Start"/>.</summary>
    /// <param name="store">The store.</param>
    /// <param name="durableSequence">Up to where the log is durable.</param>
    /// <param name="sync">Makes durable what writers left unflushed.</param>
    public LogArchiver(ArchivedStore store, Func<ulong> durableSequence, Action sync)
    {
        (this.store, this.durableSequence, this.sync) = (store, durableSequence, sync);
        options = store.Options;
        var files = store.Files;
        directory = new ArchiveDirectory(files.FileSystem, StoreDirectory.FullPath(options.LogArchiveDirectory!));
        Progress = new ArchiveProgress(store.Manifest.State.Archive!.Value, options.TimeProvider);
        copy = new LogCopy(store, directory, Progress);
        timer = WorkerClock.For(options.TimeProvider).CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (!options.BackgroundInline) thread = new Thread(Run) { IsBackground = true, Name = $"archive {files.Directory}" };
    }

    /// <summary>Begins to work, once the store can be written to.</summary>
    public void Start()
    {
        // Half of the time is for waiting, the other half for the disk.
        var period = TimerLimit.Clamp(options.LogArchiveInterval / 2);
        timer.Change(period, period);
        thread?.Start();
        Wake();
    }

    /// <summary>What kept the last attempt from its end; null if nothing did.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    public ArchiveProgress Progress { get; }

    /// <summary>Whether nothing is archived any more, because the archive was ended.</summary>
    public bool HasEnded => Volatile.Read(ref hasEnded);

    /// <summary>From the edit on, no segment of the log goes before it is archived.</summary>
    public static void Begin(Manifest manifest, KeyValueOptions options)
    {
        if (options.LogArchiveDirectory is null || manifest.State.Archive is not null) return;
        using (manifest.Gate.Hold())
        {
            var state = manifest.State;
            manifest.Append(new ManifestEdit { Archive = new ArchivePosition(state.ObsoleteThroughLog, state.LastSequence, 0, 0) });
        }
    }

    /// <summary>There may be a segment that only the archive still needs. While the archive fails, the timer tries.</summary>
    public void Wake()
    {
        if (Failure is not null) return;
        if (thread is null) RunOnce();
        else Signal(tick: false);
    }

    /// <summary>Archives what is durable, on this thread.</summary>
    /// <exception cref="AshlarException">
    /// What kept it from that. A bug is thrown as what it is, of any type, and again by each later call.
    /// </exception>
    /// <exception cref="InvalidOperationException">The archive was ended.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed meanwhile.</exception>
    public void RunNow()
    {
        using (passGate.Hold())
        {
            ThrowIfEnded();
            if (RunOnce() is { } cause) ExceptionDispatchInfo.Throw(cause);
        }
    }

    /// <summary>Refuses what needs an archive.</summary>
    /// <exception cref="InvalidOperationException">The archive was ended.</exception>
    public void ThrowIfEnded()
    {
        if (HasEnded) throw new InvalidOperationException($"{store.Files.Directory}: the archive of this store was ended.");
    }

    /// <summary>Ends the archive. A pass that is under way is waited for; no part appears after this has returned.</summary>
    /// <param name="forget">Makes the store forget that it is archived; if it throws, archiving goes on.</param>
    public void End(Action forget)
    {
        forget(); // First: the disk of the archive may not answer, and the log wait for it. A pass that is under way has its segments.
        Volatile.Write(ref hasEnded, true);
        using (passGate.Hold())
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Detach();
            Volatile.Write(ref failure, null);
        }
    }

    /// <summary>
    /// Archives the rest of the log, which is sealed by now; if that fails it stays and is archived after the next opening.
    /// </summary>
    public void Dispose()
    {
        Stop();
        if (Failure is not null) RunOnce(); // Perhaps it works now.
        RunOnce(isLast: true);
        using (passGate.Hold()) Detach();
        if (Failure is { } cause && IsBug(cause)) ExceptionDispatchInfo.Throw(cause);
    }

    /// <summary>Lets go of the archive of a store that was not opened: nothing more is archived.</summary>
    public void Abandon()
    {
        Stop();
        using (passGate.Hold()) Detach();
    }

    void Stop()
    {
        timer.Dispose();
        using (Uninterrupted.Enter(gate))
        {
            isStopping = true;
            Monitor.PulseAll(gate);
        }

        if (thread?.ThreadState.HasFlag(ThreadState.Unstarted) == false) Uninterrupted.Join(thread);
    }

    void Tick()
    {
        if (thread is not null) Signal(tick: true);
        else RunTick();
    }

    void Signal(bool tick)
    {
        using (Uninterrupted.Enter(gate))
        {
            isWoken = true;
            isTick |= tick;
            Monitor.PulseAll(gate);
        }
    }

    void Run()
    {
        while (true)
        {
            bool tick;
            using (Uninterrupted.Enter(gate))
            {
                while (!isWoken && !isStopping) Uninterrupted.Wait(gate);
                if (isStopping) return;
                (isWoken, tick, isTick) = (false, isTick, false);
            }

            if (tick) RunTick();
            else RunOnce();
        }
    }

    // What nobody flushed is archived too: the interval is promised for every write.
    void RunTick()
    {
        try
        {
            sync();
        }
        catch (Exception cause)
        {
            // Else what is durable is archived all the same, and the next tick tries again.
            if (IsBug(cause)) Fail(cause);
        }

        RunOnce();
    }

    Exception? RunOnce(bool isLast = false)
    {
        using (passGate.Hold())
        {
            if (hasEnded) return null;
            if (failure is { } bug && IsBug(bug)) return bug;
            try
            {
                var begun = options.TimeProvider.GetTimestamp();
                if (claim is { IsInPlace: false }) Detach(); // What is there now may be of somebody else.
                claim ??= ArchiveClaim.Take(directory, store.Files, store.Manifest, store.Values, Progress);
                var durable = durableSequence();
                copy.Run(durable);
                copy.Release(isLast);
                Progress.Complete(begun, durable);
                Volatile.Write(ref failure, null);
                return null;
            }
            catch (Exception cause)
            {
                Fail(cause);
                return cause;
            }
        }
    }

    void Fail(Exception cause)
    {
        using (passGate.Hold())
        {
            Detach();
            Volatile.Write(ref failure, cause);
        }
    }

    static bool IsBug(Exception cause) => cause is InvariantException or not (AshlarException or ObjectDisposedException);

    void Detach()
    {
        claim?.Dispose();
        claim = null;
    }
}
