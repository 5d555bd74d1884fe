using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Files that a crash left and that cannot be deleted keep their numbers: no new file gets one of them.</summary>
[Trait("disk", "any")]
public sealed class LeftoverNumberTests
{
    [Theory, InlineData("table-"), InlineData("log-")]
    public void A_leftover_that_cannot_be_deleted_is_in_nobodys_way(string prefix)
    {
        var inner = TestStore.AnyDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(inner)))
        {
            store.Put("a", "1");
            store.Flush();
        }

        var numbers = inner.List(TestStore.Directory).Where(name => name.Contains('-', StringComparison.Ordinal))
            .Select(name => int.Parse(name.Split('-')[1]));
        var newest = numbers.Max();
        var leftovers = Enumerable.Range(newest + 1, 4).Select(number => $"{TestStore.Directory}/{prefix}{number:d6}").ToArray();
        foreach (var path in leftovers) inner.Open(path, FileOpenMode.CreateNew).Dispose();

        var rule = new FaultRule(FaultOperations.Delete, FaultKind.InputOutputError) { IsSticky = true };
        var disk = new FaultyFileSystem(inner, rule);
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            Assert.Equal(leftovers.Length, disk.CountFired(rule));
            store.Put("b", "1");
            store.Flush();
            store.Put("c", "1");
            Assert.Null(store.GetStatistics().LastBackgroundFailure);
        }

        using var last = KeyValueStore.Open(TestStore.Directory, TestStore.Small(inner));
        Assert.Equal("a=1 b=1 c=1", last.ReadAll());
        Assert.DoesNotContain(inner.List(TestStore.Directory), name => leftovers.Contains($"{TestStore.Directory}/{name}"));
    }
}
