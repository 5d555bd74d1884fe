using System.Text;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

public sealed class SeparatorTests
{
    [Theory]
    [InlineData("apple pie", "banana", "b")]
    [InlineData("apple pie", "apple tart", "apple t")]
    [InlineData("apple pie", "b", "aq")] // "b" itself would name the block that begins with it.
    [InlineData("apple pie", "c", "b")]
    [InlineData("apple", "apple pie", "apple")]
    [InlineData("a", "b", "a")]
    public void It_is_as_short_as_the_two_keys_allow(string last, string next, string separator) =>
        Assert.Equal(separator, Encoding.UTF8.GetString(Between(Encoding.UTF8.GetBytes(last), Encoding.UTF8.GetBytes(next))));

    [Fact]
    public void Bytes_that_cannot_be_raised_are_kept() =>
        Assert.Equal(new byte[] { 1, 0xFF, 0xFF, 4 }, Between([1, 0xFF, 0xFF, 3, 9], [2]));

    [Theory, Seeds(count: 20)]
    public void It_is_not_below_the_last_key_and_below_the_next(ulong seed)
    {
        var random = new Random((int)seed);
        for (var round = 0; round < 2000; round++)
        {
            var (one, other) = (RandomKey(random), RandomKey(random));
            var order = one.AsSpan().SequenceCompareTo(other);
            if (order == 0) continue;
            var (last, next) = order < 0 ? (one, other) : (other, one);
            var separator = Between(last, next);
            Assert.True(separator.AsSpan().SequenceCompareTo(last) >= 0, $"{Hex(separator)} is below {Hex(last)}");
            Assert.True(separator.AsSpan().SequenceCompareTo(next) < 0, $"{Hex(separator)} is not below {Hex(next)}");
            Assert.True(separator.Length <= last.Length);
        }
    }

    static byte[] Between(byte[] last, byte[] next) => Separator.Write(last, next, new byte[last.Length]).ToArray();

    // Of few bytes, the largest and the smallest among them, so that beginnings are shared.
    static byte[] RandomKey(Random random)
    {
        byte[] letters = [0, 1, 0xFE, 0xFF];
        var key = new byte[random.Next(1, 7)];
        for (var at = 0; at < key.Length; at++) key[at] = letters[random.Next(letters.Length)];
        return key;
    }

    static string Hex(byte[] key) => Convert.ToHexString(key);
}
