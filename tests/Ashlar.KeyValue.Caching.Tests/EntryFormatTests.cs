using Ashlar.KeyValue.Caching.Entries;
using Ashlar.KeyValue.Caching.Eviction;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>Bytes of version 1, written down apart from the code (docs/formats/key-value-cache.md).</summary>
public sealed class EntryFormatTests
{
    const string Header = "41434531" + "00000000" + "0068e5cf8b010000" + "a0bb0d0000000000" + "a023f3cf8b010000" + "0807060504030201";

    [Fact]
    public void A_header_is_as_the_format_says()
    {
        var header = new EntryHeader(1_700_000_000_000, 900_000, 1_700_000_900_000, 0x0102030405060708);
        var bytes = new byte[EntryHeader.SizeBytes];
        header.Write(bytes);
        Assert.Equal(Header, Convert.ToHexStringLower(bytes));
        Assert.True(EntryHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
    }

    [Fact]
    public void A_header_of_another_version_or_with_other_bits_is_none()
    {
        var bytes = Convert.FromHexString(Header);
        Assert.False(EntryHeader.TryRead(bytes.AsSpan(0, EntryHeader.SizeBytes - 1), out _));
        for (var at = 0; at < 8; at++)
        {
            bytes[at] ^= 1;
            Assert.False(EntryHeader.TryRead(bytes, out _), $"byte {at}");
            bytes[at] ^= 1;
        }

        foreach (var last in (int[])[15, 23, 31])
        {
            bytes[last] ^= 0x80;
            Assert.False(EntryHeader.TryRead(bytes, out _), $"negative at {last}");
            bytes[last] ^= 0x80;
            bytes[last] ^= 0x7f;
            Assert.False(EntryHeader.TryRead(bytes, out _), $"beyond the end of time at {last}");
            bytes[last] ^= 0x7f;
        }
    }

    [Fact]
    public void A_key_is_text_or_a_hash_behind_the_prefix_and_its_kind()
    {
        Assert.Equal("632f" + "01" + "6162", Written("ab"));
        Assert.Equal("632f" + "01", Written(""));
        Assert.Equal("632f" + "02" + "205022e3428b7c8276cf247b36e4e512db5651e5cb3472c253d9ee893a8ac750", Written("\ud800"));

        static string Written(string key)
        {
            var bytes = new byte[CacheKeys.MaxBytes];
            return Convert.ToHexStringLower(bytes.AsSpan(0, new CacheKeys("c/").Write(key, bytes)));
        }
    }

    [Fact]
    public void A_record_is_as_the_format_says_and_those_without_expiry_come_last()
    {
        var keys = new CacheKeys("c/");
        var key = new byte[QueueRecord.MaxKeyBytes];
        var length = QueueRecord.WriteKey(keys, new EntryHeader(0, 0, 0x0102030405060708, 0x1112131415161718), key);
        Assert.Equal("632f" + "03" + "0102030405060708" + "1112131415161718", Convert.ToHexStringLower(key.AsSpan(0, length)));
        var value = new byte[100];
        var valueLength = QueueRecord.WriteValue(keys, "c/\u0001ab"u8, 0x01020304, value);
        Assert.Equal("04030201" + "016162", Convert.ToHexStringLower(value.AsSpan(0, valueLength)));
        Assert.True(QueueRecord.TryRead(keys, key.AsSpan(0, length), value.AsSpan(0, valueLength), out var number, out var cost));
        Assert.Equal((0x1112131415161718UL, 0x01020304), (number, cost));
        var last = new byte[QueueRecord.MaxKeyBytes];
        QueueRecord.WriteKey(keys, new EntryHeader(0, 0, 0, 1), last);
        Assert.True(key.AsSpan(0, length).SequenceCompareTo(last.AsSpan(0, length)) < 0);
    }
}
