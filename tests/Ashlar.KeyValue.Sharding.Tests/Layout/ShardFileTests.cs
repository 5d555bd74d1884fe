using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>The bytes of version 1, as docs/formats shows them.</summary>
public sealed class ShardFileTests
{
    const string Golden =
        "4153484c52534844010000004e8e265d00112233445566778899aabbccddeeff02000100080004000000000000000000"
        + "0102030405060708090a0b0c0d0e0f10" + "1112131415161718191a1b1c1d1e1f20" + "686f742f";

    static readonly ShardFile File = new(
        new("00112233-4455-6677-8899-aabbccddeeff"),
        8,
        "hot/"u8.ToArray(),
        [new Guid(Convert.FromHexString("0102030405060708090a0b0c0d0e0f10"), bigEndian: true), new Guid(Convert.FromHexString("1112131415161718191a1b1c1d1e1f20"), bigEndian: true)]);

    [Fact]
    public void Shard_file()
    {
        var bytes = File.Encode();
        Assert.Equal(Golden, Convert.ToHexStringLower(bytes));
        var read = ShardFile.Decode(bytes, "/SHARDS");
        Assert.Equal((File.StoreId, 8), (read.StoreId, read.HashedPrefixBytes));
        Assert.Equal(File.ShardIds, read.ShardIds);
        Assert.Equal("hot/"u8.ToArray(), read.SaltedPrefix);
    }

    [Fact]
    public void Salted_value()
    {
        var bytes = new byte[11];
        SaltedValue.Write(bytes, 7, isDelete: false, "hi"u8);
        Assert.Equal("0700000000000000016869", Convert.ToHexStringLower(bytes));
        Assert.Equal((7UL, false, true), (SaltedValue.ReadStamp(bytes), SaltedValue.IsDelete(bytes), SaltedValue.IsSound(bytes)));
        SaltedValue.Write(bytes, 8, isDelete: true, default);
        Assert.True(SaltedValue.IsDelete(bytes));
        Assert.False(SaltedValue.IsSound(bytes.AsSpan(0, 8)));
    }

    [Theory, InlineData("", 1), InlineData("a", 0), InlineData("key", 2), InlineData("a longer key", 0)]
    public void The_place_of_a_key_is_part_of_the_format(string key, int shard) =>
        Assert.Equal(shard, ShardHash.Place(TestStore.Bytes(key), 4));

    [Fact]
    public void Every_flipped_bit_and_every_cut_is_noticed()
    {
        var bytes = File.Encode();
        for (var bit = 0; bit < 8 * bytes.Length; bit++)
        {
            var copy = (byte[])bytes.Clone();
            copy[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.ThrowsAny<AshlarException>(() => ShardFile.Decode(copy, "/SHARDS"));
        }

        for (var length = 0; length < bytes.Length; length++) Assert.ThrowsAny<AshlarException>(() => ShardFile.Decode(bytes.AsSpan(0, length), "/SHARDS"));
        Assert.ThrowsAny<AshlarException>(() => ShardFile.Decode([.. bytes, 0], "/SHARDS"));
    }

    [Theory, InlineData(8, "version 9"), InlineData(34, "hash 9")]
    public void A_later_version_or_hash_is_refused_as_such(int offset, string message)
    {
        var bytes = File.Encode();
        bytes[offset] = 9;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, 12)), bytes.AsSpan(16)));
        var refused = Assert.Throws<UnsupportedFormatException>(() => ShardFile.Decode(bytes, "/SHARDS"));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }
}
