using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>To those who write on a condition, or in a transaction, the delete of a range is a write of each key in it.</summary>
public sealed class RangeDeleteConditionTests : IDisposable
{
    readonly KeyValueStore store = KeyValueStore.Open(
        TestStore.Directory, TestStore.Small(TestStore.NewDisk()) with { RelaxedLossTime = TimeSpan.FromDays(10) });

    public void Dispose() => store.Dispose();

    [Theory, InlineData(false), InlineData(true)]
    public void A_key_of_a_deleted_range_is_absent_and_not_what_it_was(bool isFlushed)
    {
        store.Put("b", "1");
        store.Get("b"u8, out var info);
        store.DeleteRange("a"u8, "c"u8);
        if (isFlushed) store.Flush();
        Assert.False(store.PutIfUnchanged("b"u8, "2"u8, info.Sequence));
        Assert.False(store.DeleteIfUnchanged("b"u8, info.Sequence));
        Assert.True(store.PutIfAbsent("b"u8, "3"u8));
        Assert.Equal("b=3", store.ReadAll());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_transaction_that_has_read_there_conflicts(bool isFlushed, bool isScan)
    {
        store.Put("b", "1");
        store.Put("z", "1");
        using var transaction = store.BeginTransaction();
        if (isScan)
        {
            using var cursor = transaction.Scan(KeyRange.Prefix("b"u8));
            while (cursor.MoveNext())
            {
            }
        }
        else
        {
            transaction.Get("b"u8);
        }

        transaction.Put("y"u8, "2"u8);
        store.DeleteRange("a"u8, "c"u8);
        if (isFlushed) store.Flush();
        Assert.False(transaction.TryCommit());
        Assert.Equal("z=1", store.ReadAll());
    }

    [Fact]
    public void A_transaction_that_has_read_elsewhere_does_not()
    {
        store.Put("z", "1");
        using var transaction = store.BeginTransaction();
        transaction.Get("z"u8);
        using (var cursor = transaction.Scan(KeyRange.From("c"u8)))
        {
            while (cursor.MoveNext())
            {
            }
        }

        transaction.Put("y"u8, "2"u8);
        store.DeleteRange("a"u8, "c"u8);
        Assert.True(transaction.TryCommit());
        Assert.Equal("y=2 z=1", store.ReadAll());
    }

    [Fact]
    public async Task Writers_of_one_group_see_what_those_before_them_delete()
    {
        store.Put("b", "1");
        store.Get("b"u8, out var info);
        for (var round = 0; round < 50; round++)
        {
            var conditions = new WriteConditions().RequireUnchanged("b"u8, info.Sequence);
            var batch = new WriteBatch();
            batch.Put("b"u8, "2"u8);
            var deletes = Enumerable.Range(0, 4).Select(_ => store.DeleteRangeAsync(KeyRange.Prefix("b"u8)).AsTask()).ToArray();
            var isWritten = store.TryWrite(batch, conditions);
            await Task.WhenAll(deletes);
            if (isWritten) break; // Before all of them; they took it away again.
        }

        Assert.Equal("", store.ReadAll());
    }
}
