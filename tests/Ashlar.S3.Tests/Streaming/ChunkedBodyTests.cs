using System.Text;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.S3.Tests.Streaming;

/// <summary>Bodies in chunks, good and bad, without a server.</summary>
public sealed class ChunkedBodyTests(ITestOutputHelper output)
{
    static readonly int Inputs = TestTier.Choose(10_000, 1_000_000);

    static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static readonly TestSigner Signer = new("KEY", "secret", () => Now);

    static readonly (string Name, string Value) Checksum = ("x-amz-checksum-crc32", "AAAAAA==");

    public static TheoryData<string> Forms => ["signed", "signed trailer", "unsigned trailer"];

    [Theory, MemberData(nameof(Forms))]
    public async Task A_body_comes_back_whatever_the_pieces_it_comes_in(string form)
    {
        var random = new SeededRandom(5);
        for (var round = 0; round < 60; round++)
        {
            var content = random.Bytes(random.Next(0, 100_000));
            var call = Encode(form, content, random.Next(1 + (content.Length / 1000), 40_000));
            Assert.Equal(content, await ReadAsync(form, new Dribble(call.Body, random), call, content.Length));
        }
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_body_that_ends_early_is_never_taken_for_a_whole_one(string form)
    {
        var call = Encode(form, new SeededRandom(6).Bytes(300), 100);
        // The last line ends may be missing. A value that is cut off and not signed is no checksum, which is looked at elsewhere.
        var optional = form == "unsigned trailer" ? 4 + Checksum.Value.Length : 4;
        for (var length = 0; length < call.Body.Length - optional; length++)
        {
            var cut = length;
            await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(form, new MemoryStream(call.Body[..cut]), call, 300));
        }
    }

    [Theory]
    [InlineData("signed")]
    [InlineData("signed trailer")]
    public async Task No_byte_of_a_signed_body_can_be_changed(string form)
    {
        var content = new SeededRandom(7).Bytes(300);
        var call = Encode(form, content, 100);
        for (var at = 0; at < call.Body.Length; at++)
        {
            var changed = call.Body.ToArray();
            changed[at] ^= 1;
            try
            {
                // Where it is read at all, it is what was signed: numbers have two forms, and line ends of a trailer.
                Assert.Equal(content, await ReadAsync(form, new MemoryStream(changed), call, 300));
                Assert.True(at > changed.Length - 200 || call.Body[at] is >= (byte)'A' and <= (byte)'f', $"byte {at}");
            }
            catch (S3Exception)
            {
            }
        }
    }

    [Fact]
    public async Task What_is_signed_is_verified_before_a_byte_of_it_is_handed_on()
    {
        var call = Encode("signed", new byte[200], 100);
        var changed = call.Body.ToArray();
        // In the second chunk.
        changed[^120] ^= 1;
        var body = Open("signed", new MemoryStream(changed), call, 200);
        var buffer = new byte[1000];
        Assert.Equal(100, await body.ReadAsync(buffer));
        Assert.Equal(
            "SignatureDoesNotMatch", (await Assert.ThrowsAsync<S3Exception>(async () => await body.ReadExactlyAsync(buffer))).Error.Code);
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF\r\n")]
    [InlineData("7FFFFFFFFFFFFFFF\r\n")]
    [InlineData("10000000000000000\r\n")]
    [InlineData("-1\r\n")]
    [InlineData(" 1\r\na\r\n0\r\n\r\n")]
    [InlineData("+1\r\na\r\n0\r\n\r\n")]
    [InlineData("0x1\r\na\r\n0\r\n\r\n")]
    [InlineData("1\na\r\n0\r\n\r\n")]
    [InlineData("1\r\nab\r\n0\r\n\r\n")]
    [InlineData("1;chunk-signature=00\r\na\r\n0\r\n\r\n")]
    [InlineData("1;x\r\na\r\n0\r\n\r\n")]
    [InlineData("1\r\na\r\n0\r\n\r\nmore")]
    [InlineData("1\r\na\r\n0\r\nx-other:1\r\n\r\n")]
    [InlineData("1\r\na\r\n0\r\nx-amz-checksum-crc32:1\r\nx-amz-checksum-crc32:1\r\n\r\n")]
    [InlineData("1\r\na\r\n0\r\n\r\n")]
    [InlineData("")]
    public async Task Chunks_that_are_none_are_refused(string body)
    {
        var chunked = new AwsChunkedBody(new MemoryStream(Encoding.ASCII.GetBytes(body)), null, null, new Trailer("x-amz-checksum-crc32"));
        await Assert.ThrowsAsync<S3Exception>(async () => await chunked.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task A_chunk_takes_memory_by_what_comes_and_not_by_what_it_announces()
    {
        var signatures = new ChunkSignatures(
            new SigningKey("secret", new("KEY", "20260101", "us-east-1", "s3")), new("KEY", "20260101", "us-east-1", "s3"), "", "");
        var text = $"{AwsChunkedBody.MaxSignedChunkBytes:x};chunk-signature={new string('0', 64)}\r\nshort";
        var body = new AwsChunkedBody(new MemoryStream(Encoding.ASCII.GetBytes(text)), signatures, long.MaxValue, null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        await Assert.ThrowsAsync<S3Exception>(async () => await body.CopyToAsync(Stream.Null));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        var longer = $"{AwsChunkedBody.MaxSignedChunkBytes + 1:x};chunk-signature={new string('0', 64)}\r\n";
        var tooLong = new AwsChunkedBody(new MemoryStream(Encoding.ASCII.GetBytes(longer)), signatures, long.MaxValue, null);
        Assert.Equal(
            "EntityTooLarge", (await Assert.ThrowsAsync<S3Exception>(async () => await tooLong.CopyToAsync(Stream.Null))).Error.Code);
    }

    [Theory, MemberData(nameof(Forms))]
    public void No_body_makes_the_parser_fail_or_allocate_by_lengths_that_are_not_there(string form)
    {
        var seed = TestSeeds.First(nameof(No_body_makes_the_parser_fail_or_allocate_by_lengths_that_are_not_there) + form);
        var call = Encode(form, new SeededRandom(8).Bytes(200), 90);
        // Of what is signed nearly nothing that is changed is accepted; without a signature, much of the content may be anything.
        byte[][] corpus = [call.Body, Encode(form, new SeededRandom(8).Bytes(200), 90).Body];
        var result = ParserFuzz.Run(corpus, Inputs, seed, allowedBytes: 400 << 10, message =>
        {
            try
            {
                ReadAsync(form, new MemoryStream(message), call, null).GetAwaiter().GetResult();
                return true;
            }
            catch (S3Exception)
            {
                return false;
            }
        });
        Assert.True(form != "unsigned trailer" || result.Accepted > Inputs / 100, $"{result.Accepted} accepted");
        output.WriteLine(result.ToJson($"aws-chunked, {form}", seed));
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Chunks_that_are_short_cost_no_more_than_a_few(string form)
    {
        var few = Encode(form, new byte[1000], 1);
        Assert.Equal(1000, (await ReadAsync(form, new MemoryStream(few.Body), few, 1000)).Length);
        var many = Encode(form, new byte[5000], 1);
        var refused = await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(form, new MemoryStream(many.Body), many, 5000));
        Assert.Contains("too short", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Nothing_but_line_ends_follows_and_few_of_them(string form)
    {
        var call = Encode(form, new byte[10], 10);
        byte[] more = [.. call.Body, .. Enumerable.Repeat((byte)'\n', 1000)];
        await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(form, new MemoryStream(more), call, 10));
    }

    [Fact]
    public async Task Long_chunks_share_a_budget_and_give_it_back()
    {
        var memory = new MemoryBudget(1 << 20);
        for (var round = 0; round < 3; round++)
        {
            var call = Encode("signed", new byte[1 << 20], 1 << 20);
            await using var body = Open("signed", new MemoryStream(call.Body), call, 1 << 20, memory);
            await body.CopyToAsync(Stream.Null);
            await using var second = Open("signed", new MemoryStream(call.Body), call, 1 << 20, memory);
            Assert.Equal("SlowDown", (await Assert.ThrowsAsync<S3Exception>(async () => await second.CopyToAsync(Stream.Null))).Error.Code);
        }
    }

    static S3Call Encode(string form, byte[] content, int chunkBytes)
    {
        var call = new S3Call("PUT", "/b/k") { Headers = [("host", "h")] }.Send(content);
        return form switch
        {
            "signed" => Signer.SignChunks(call, chunkBytes),
            "signed trailer" => Signer.SignChunks(call, chunkBytes, Checksum),
            _ => Signer.SignUnsignedChunks(call, chunkBytes, Checksum),
        };
    }

    static AwsChunkedBody Open(string form, Stream source, S3Call call, long? length, MemoryBudget? memory = null)
    {
        var scope = new SignatureScope("KEY", "20260101", "us-east-1", "s3");
        var signatures = form == "unsigned trailer"
            ? null
            : new ChunkSignatures(
                new SigningKey("secret", scope), scope, "20260101T000000Z", call.Header("Authorization")!.Split("Signature=")[1]);
        return new(source, signatures, length, form == "signed" ? null : new Trailer(Checksum.Name), memory);
    }

    static async Task<byte[]> ReadAsync(string form, Stream source, S3Call call, long? length)
    {
        var read = new MemoryStream();
        await Open(form, source, call, length).CopyToAsync(read);
        return read.ToArray();
    }

    /// <summary>Gives a few bytes at a time.</summary>
    sealed class Dribble(byte[] content, SeededRandom random) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default) =>
            base.ReadAsync(destination[..Math.Min(destination.Length, random.Next(1, 20_000))], cancellationToken);
    }
}
