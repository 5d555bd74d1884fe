using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Statistics;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    Exception? closingFailure;
    int isClosing;

    /// <summary>
    /// What the store could not make durable when it was closed, or what put it in doubt before: null if nothing is. To be read after
    /// <see cref="Dispose"/>, which does not throw it.
    /// </summary>
    public Exception? Failure => poison.IsSet ? poison.ToException() : closingFailure;

    /// <summary>
    /// Closes the store as <see cref="Dispose"/> does, and reports what that could not make durable.
    /// </summary>
    /// <exception cref="StorePoisonedException">
    /// The last writes could not be made durable, now or earlier. The store is closed all the same.
    /// </exception>
    /// <exception cref="InvariantException">The archive has met a bug of the engine. The store is closed all the same.</exception>
    public void Close()
    {
        Dispose();
        if (Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>
    /// Closes the store: waits for writes under way, makes everything durable and marks the log as complete. Cursors and
    /// snapshots that are still open throw <see cref="ObjectDisposedException"/> from then on.
    /// </summary>
    /// <remarks>
    /// It does not throw what the disk refuses: that would hide the exception that a <c>using</c> is left by. What was promised as
    /// durable is; whether <see cref="Durability.Relaxed"/> writes of the last moments are, <see cref="Failure"/> says, and
    /// <see cref="Close"/> throws. It does throw what is an error of this program, such as an <see cref="InvariantException"/> that the
    /// archive has met; the store is closed all the same.
    /// </remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isClosing, 1) != 0) return;
        Release(wasOpened: true);
        // Anything but a refusal of the disk is an error of this program.
        if (IsBug(closingFailure)) ExceptionDispatchInfo.Throw(closingFailure);
    }

    /// <inheritdoc cref="Dispose" />
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    // In this order, each step also where one before it has failed. Of a store that was not opened as far as it came: nothing is
    // written any more, and whoever opens it has the lock, to try once more.
    void Release(bool wasOpened)
    {
        var isWritten = wasOpened && !options.ReadOnly;
        if (metered is not null) KeyValueMetrics.Remove(metered);
        if (durability is not null) Try(durability.Dispose);
        if (isWritten) Try(SealLog);
        if (commits is not null) Try(commits.Dispose);
        if (archiver is not null) Try(wasOpened ? archiver.Dispose : archiver.Abandon); // Before the mark below: it may write an edit.
        if (background is not null) Try(background.Dispose);
        durability?.Fail(ClosedStore.ToException());
        if (isWritten && !poison.IsSet) Try(MarkClosed);
        if (state is not null) Try(state.Dispose);
        if (cache is not null) Try(cache.Release);
        if (committer is not null) Try(committer.Dispose);
        if (values is not null) Try(values.Dispose);
        if (manifest is not null) Try(manifest.Dispose);
        // What readers let go of later stays where it is: the next opening, which may have happened by then, deletes it.
        if (files.FileSystem is HeldDirectory held) held.Displaced = null;
        if (wasOpened && directoryLock is not null) Try(directoryLock.Dispose);
    }

    void Try(Action step)
    {
        try
        {
            step();
        }
        catch (Exception failure)
        {
            if (closingFailure is null || (IsBug(failure) && !IsBug(closingFailure))) closingFailure = failure;
        }
    }

    static bool IsBug([NotNullWhen(true)] Exception? failure) => failure is InvariantException or not (null or AshlarException);

    void SealLog()
    {
        var willBeComplete = isLogComplete || committer.HasOpenLog;
        isLogComplete = false; // Until the seal is there: the mark vouches for it.
        commits.Run(CommitRequest.Close, null, Durability.Unflushed);
        isLogComplete = willBeComplete;
    }

    // Behind this mark every earlier edit is known to have been durable: damage to one of them cannot pass for a torn tail. Where the disk
    // refuses it, the store is opened as after a crash next time.
    void MarkClosed()
    {
        if (!isLogComplete || manifest.IsInDoubt || manifest.State.Closed) return;
        try
        {
            using (manifest.Gate.Hold()) manifest.Append(new ManifestEdit { Closed = true });
        }
        catch (StorageException)
        {
        }
    }
}
