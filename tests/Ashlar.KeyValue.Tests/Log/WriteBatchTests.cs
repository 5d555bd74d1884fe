using System.Text;

namespace Ashlar.KeyValue.Tests;

/// <summary>What is in a batch can be looked at, and taken over into another.</summary>
[Trait("disk", "any")]
public sealed class WriteBatchTests
{
    static readonly DateTimeOffset Later = DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_123);

    [Fact]
    public void A_batch_shows_its_entries_in_order()
    {
        Assert.Equal("", Describe(new WriteBatch()));
        var batch = Mixed();
        Assert.Equal("a=1 b- c=3@1900000000123 a= d=@1900000000123", Describe(batch));
        batch.Clear();
        Assert.Equal("", Describe(batch));
    }

    [Fact]
    public void Entries_of_another_batch_are_written_as_they_were_there()
    {
        var source = Mixed();
        var copy = new WriteBatch();
        foreach (var entry in source)
        {
            if (!entry.Key.SequenceEqual("b"u8)) copy.Add(entry);
        }

        Assert.Equal("a=1 c=3@1900000000123 a= d=@1900000000123", Describe(copy));
        Assert.Equal(4, copy.Count);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()));
        store.Write(copy);
        Assert.Equal("a= c=3 d=", store.ReadAll());
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void A_batch_that_only_took_over_deletes_has_no_puts()
    {
        var copy = new WriteBatch();
        foreach (var entry in Mixed())
        {
            if (entry.IsDelete) copy.Add(entry);
        }

        Assert.Equal((1, false), (copy.Count, copy.HasPuts));
    }

    [Fact]
    public void A_walk_over_a_batch_to_which_its_entries_are_added_ends()
    {
        var batch = Mixed();
        foreach (var entry in batch) batch.Add(entry);
        Assert.Equal(10, batch.Count);
        var text = Describe(batch);
        Assert.Equal(text[..(text.Length / 2)], text[((text.Length / 2) + 1)..]);
    }

    [Fact]
    public void The_largest_value_that_expires_is_taken_over()
    {
        var source = new WriteBatch();
        source.Put("a"u8, new byte[KeyValueOptions.ValueLimitBytes], Later);
        var copy = new WriteBatch();
        foreach (var entry in source) copy.Add(entry);
        Assert.Equal(KeyValueOptions.ValueLimitBytes, copy.LongestValueBytes);
    }

    static WriteBatch Mixed()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.Delete("b"u8);
        batch.Put("c"u8, "3"u8, Later);
        batch.Put("a"u8, ""u8);
        batch.Put("d"u8, ""u8, Later);
        return batch;
    }

    static string Describe(WriteBatch batch)
    {
        var text = new List<string>();
        foreach (var entry in batch)
        {
            Assert.True(!entry.IsDelete || (entry.Value.IsEmpty && entry.ExpiresAt is null));
            var change = entry.IsDelete ? "-" : $"={Encoding.UTF8.GetString(entry.Value)}";
            var expiry = entry.ExpiresAt is { } moment ? $"@{moment.ToUnixTimeMilliseconds()}" : "";
            text.Add($"{Encoding.UTF8.GetString(entry.Key)}{change}{expiry}");
        }

        return string.Join(' ', text);
    }
}
