using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Atomic writes: whatever fails, and whenever power is lost, all of one is there or nothing of it.
//
// Invariant: it overwrites nothing that anybody could find. Its blocks go where neither the leaf in memory calls a block valid nor the
// committed leaf does, nor the one that is being committed: to free blocks of their homes, to fragment chunks, or to new homes. So up to
// the commit the old content is where it was, and a leaf is committed as a whole.
//
// Within one leaf its order is that of every write (VolumeDevice.Write.cs); step 3 has nothing to mark. Over two leaves:
//   1. Load both, let no commit begin, and lock both.      Else one could capture the first as it will be and the second as it was.
//   2. Plan both and write the data, as above.             Crash: no leaf in the store names the places. A failure gives them back.
//   3. Change both leaves in memory.                       Crash: the same.
//   4. Commit both, and nothing else, in one batch.        Crash within: both are old, or both are new.
// Left to the next commit, which may take only one of them in a batch, they could become durable one by one. So they are not logged
// as recent writes are, either: when such a write is answered the store has it, or its disk is full beyond the reserve.
sealed partial class VolumeDevice
{
    enum AtomicOutcome
    {
        Done = 0,
        NoRoom,

        /// <summary>A commit waits for the disk of the map: what it captured comes first.</summary>
        CommitFirst,
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteAtomicAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        var most = Geometry.MaxAtomicWriteBytes;
        if (source.Length > most) throw new AtomicWriteException(Name, source.Length, most);
        var (leafIndex, inLeaf) = (offset / MapLayout.LeafBytes, (int)(offset % MapLayout.LeafBytes));
        var inFirst = Math.Min(MapLayout.LeafBytes - inLeaf, source.Length);
        if (inFirst == source.Length)
        {
            if (inFirst > 0) await WriteLeafAsync(leafIndex, inLeaf, source, cancellationToken, isAtomic: true);
            return;
        }

        for (var attempt = 0; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (await TryWriteInTurnAsync(leafIndex, inLeaf, source[..inFirst], source[inFirst..], cancellationToken))
            {
                case AtomicOutcome.Done:
                    return;
                case AtomicOutcome.NoRoom:
                    await parts.Throttle.WaitForSpaceAsync(Name, attempt++);
                    break;
                default:
                    await parts.Committer.RunAsync(CommitScope.Flush);
                    break;
            }
        }
    }

    // The leaves are loaded, and pinned, before: no commit waits for reads of the map.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<AtomicOutcome> TryWriteInTurnAsync(
        long leafIndex, int offset, ReadOnlyMemory<byte> inFirst, ReadOnlyMemory<byte> inSecond, CancellationToken cancellationToken)
    {
        var first = await parts.Cache.AcquireAsync(this, leafIndex);
        try
        {
            var second = await parts.Cache.AcquireAsync(this, leafIndex + 1);
            try
            {
                return await parts.Committer.ExcludeAsync(
                    () => TryWriteTwoLeavesAsync(leafIndex, offset, inFirst, inSecond, cancellationToken));
            }
            finally
            {
                second.Unpin();
            }
        }
        finally
        {
            first.Unpin();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<AtomicOutcome> TryWriteTwoLeavesAsync(
        long leafIndex, int offset, ReadOnlyMemory<byte> inFirst, ReadOnlyMemory<byte> inSecond, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (parts.Committer.HasUnwritten) return AtomicOutcome.CommitFirst;
        using var first = await LockLeafAsync(leafIndex);
        using var second = await LockLeafAsync(leafIndex + 1);
        CheckStillThere(((leafIndex + 1) * MapLayout.LeafBytes) + inSecond.Length);
        Leaf[] leaves = [first.Leaf, second.Leaf];
        if (leaves.Any(HasRecent))
        {
            // What is logged of them must not come after this write, of which the log says nothing.
            await CommitTogetherAsync(leaves);
            if (leaves.Any(HasRecent)) return AtomicOutcome.CommitFirst;
        }

        var (firstPlan, secondPlan) = (LeafPlan.Rent(), LeafPlan.Rent());
        try
        {
            if (!await TryWriteElsewhereAsync(first.Leaf, firstPlan, offset, inFirst)) return AtomicOutcome.NoRoom;
            var isRoom = false;
            try
            {
                isRoom = await TryWriteElsewhereAsync(second.Leaf, secondPlan, 0, inSecond);
            }
            finally
            {
                if (!isRoom) ReleasePlanned(firstPlan);
            }

            if (!isRoom) return AtomicOutcome.NoRoom;
            Apply(first.Leaf, firstPlan, FirstBlock(offset), BlockCount(offset, inFirst.Length));
            Apply(second.Leaf, secondPlan, 0, BlockCount(0, inSecond.Length));
        }
        finally
        {
            firstPlan.Return();
            secondPlan.Return();
        }

        foreach (var leaf in leaves) LogAtomically(leaf);
        await CommitTogetherAsync(leaves);
        return AtomicOutcome.Done;
    }

    ValueTask CommitTogetherAsync(Leaf[] leaves) => SerialWorker.RunOnceAsync(
        static commit => commit.Committer.CommitTogether(commit.Leaves), (parts.Committer, Leaves: leaves));

    // Steps 1, 2 and 4 of a write; there is nothing to mark, and nothing to reconcile after a failure.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryWriteElsewhereAsync(Leaf leaf, LeafPlan plan, int offset, ReadOnlyMemory<byte> source)
    {
        if (!CoversWhole(leaf, offset, source.Length)) ThrowIfDamaged(leaf);
        plan.IsAtomic = true;
        if (!TryPlan(leaf, plan, FirstBlock(offset), BlockCount(offset, source.Length), isWrite: true)) return false;
        try
        {
            await CompleteEdgesAsync(leaf, plan, offset, source);
            ComputeChecksums(plan, offset, source);
            await WriteDataAsync(leaf, plan, offset, source);
            return true;
        }
        catch
        {
            ReleasePlanned(plan);
            throw;
        }
    }

    static int FirstBlock(int offset) => offset / MapLayout.BlockBytes;

    static int BlockCount(int offset, int length) =>
        ((offset + length + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes) - FirstBlock(offset);
}
