using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// What runs in place of a commit.
partial class Committer
{
    /// <summary>Runs something while no commit runs.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<T> ExcludeAsync<T>(Func<ValueTask<T>> action)
    {
        await turn.EnterAsync();
        try
        {
            return await action();
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>The same on a thread that may wait.</summary>
    public void Exclude(Action action)
    {
        Wait(turn.EnterAsync());
        try
        {
            action();
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>
    /// Commits what has changed of some leaves whose locks the caller holds, and nothing else. Within <see cref="Exclude"/>, and while
    /// nothing is captured that is not written.
    /// </summary>
    public void CommitHeld(IEnumerable<Leaf> leaves)
    {
        Invariant.Require(turn.IsHeld && captured.Count == 0);
        CommitBatch? batch = null;
        foreach (var leaf in leaves)
        {
            if (leaf.Dirt != LeafDirt.Map) continue;
            if (batch is null) captured.Enqueue(batch = new CommitBatch(isSpill: false));
            batch.Capture(leaf, space, fragments);
        }

        if (batch is null) return;
        Seal(batch);
        FlushData();
        SettleSpilled();
        WriteMap();
    }

    /// <summary>
    /// Commits leaves whose locks the caller holds in one batch, so that they become durable together. Within <see cref="ExcludeAsync"/>,
    /// while nothing is captured that is not written, on a thread that may wait.
    /// </summary>
    public virtual void CommitTogether(IReadOnlyList<Leaf> leaves)
    {
        try
        {
            CommitHeld(leaves);
        }
        catch (DeviceFullException) when (failure.First is null)
        {
            // The batch is kept as it is, for the next commit; whoever asks for one learns of it.
        }
        catch (Exception cause)
        {
            failure.Latch(cause);
            throw failure.ToError(failure.First!);
        }
    }

    /// <summary>Step 2 by itself, within <see cref="Exclude"/>.</summary>
    public void FlushHeld()
    {
        Invariant.Require(turn.IsHeld);
        FlushData();
        SettleSpilled();
    }
}
