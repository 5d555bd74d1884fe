namespace Ashlar.KeyValue.Tests;

public sealed class BloomFilterTests
{
    static ulong Hash(int number) => KeyHash.Compute(TestStore.Bytes($"key {number}"));

    [Theory, InlineData(1), InlineData(100), InlineData(20_000)]
    public void Present_keys_pass_and_about_one_absent_key_in_a_hundred(int count)
    {
        var filter = BloomFilter.Build([.. Enumerable.Range(0, count).Select(Hash)]);
        Assert.True(BloomFilter.IsLengthValid(filter.Length));
        Assert.All(Enumerable.Range(0, count), number => Assert.True(BloomFilter.MayContain(filter, Hash(number))));
        var passed = Enumerable.Range(1_000_000, 20_000).Count(number => BloomFilter.MayContain(filter, Hash(number)));
        Assert.True(passed < 20_000 * 2 / 100, $"{passed} of 20000 absent keys pass");
    }

    [Fact]
    public void A_filter_takes_ten_bits_per_key() =>
        Assert.InRange(BloomFilter.Build([.. Enumerable.Range(0, 10_000).Select(Hash)]).Length, 12_500, 12_700);
}
