using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Nvme.Bench;

/// <summary>A client of NBD with simple replies, or with structured ones, for which libnbd and QEMU ask.</summary>
sealed class NbdClient : BenchClient
{
    public const ulong Magic = 0x4E42444D41474943, OptionMagic = 0x49484156454F5054, OptionReplyMagic = 0x3E889045565A9;
    public const uint RequestMagic = 0x25609513, ReplyMagic = 0x67446698, StructuredMagic = 0x668E33EF;
    public const int RequestBytes = 28, ReplyBytes = 16, GoOption = 7, StructuredOption = 8, Acknowledged = 1, InfoReply = 3;

    // A chunk: 0  magic (4)   4  flags (2)   6  kind (2)   8  handle (8)   16  bytes that follow (4); of data then 20  offset (8)
    public const int ChunkBytes = 20, DataChunkBytes = 28;
    public const ushort LastChunk = 1, NoChunk = 0, DataChunk = 1, HoleChunk = 2;
    public const ushort FixedNewstyle = 1, NoZeroes = 2;
    public const ushort ReadCommand = 0, WriteCommand = 1, DisconnectCommand = 2, FlushCommand = 3;

    readonly bool[] reads;
    readonly long[] offsets;

    public NbdClient(BenchOptions options) : base(options)
    {
        reads = new bool[options.Depth];
        offsets = new long[options.Depth];
        Span<byte> greeting = stackalloc byte[18];
        Wire.Receive(greeting);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting) != Magic) throw new IOException("this is no server of NBD");
        BinaryPrimitives.WriteUInt32BigEndian(Wire.Add(4), FixedNewstyle | NoZeroes);

        if (options.IsStructured)
        {
            Ask(StructuredOption, 0);
            AwaitAcknowledgement("structured replies");
        }
        var name = Encoding.UTF8.GetBytes(options.Name);
        var go = Ask(GoOption, 6 + name.Length);
        BinaryPrimitives.WriteInt32BigEndian(go, name.Length);
        name.CopyTo(go[4..]);
        go[(4 + name.Length)..].Clear(); // Asks for nothing that is not told anyhow.
        AwaitAcknowledgement(options.Name);
    }

    Span<byte> Ask(int option, int dataBytes)
    {
        var asked = Wire.Add(16 + dataBytes);
        BinaryPrimitives.WriteUInt64BigEndian(asked, OptionMagic);
        BinaryPrimitives.WriteInt32BigEndian(asked[8..], option);
        BinaryPrimitives.WriteInt32BigEndian(asked[12..], dataBytes);
        return asked[16..];
    }

    void AwaitAcknowledgement(string what)
    {
        Span<byte> reply = stackalloc byte[20];
        int kind;
        do
        {
            Wire.Receive(reply);
            kind = BinaryPrimitives.ReadInt32BigEndian(reply[12..]);
            if (kind is not (Acknowledged or InfoReply)) throw new IOException($"the server refuses {what}: {kind:X8}h");
            Wire.Receive(new byte[BinaryPrimitives.ReadInt32BigEndian(reply[16..])]);
        }
        while (kind != Acknowledged);
    }

    public override void Submit(int slot, RequestKind kind, long offset)
    {
        var request = Wire.Add(RequestBytes);
        request.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(request, RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(request[6..], kind switch
        {
            RequestKind.Read => ReadCommand,
            RequestKind.Write => WriteCommand,
            _ => FlushCommand,
        });
        BinaryPrimitives.WriteInt64BigEndian(request[8..], slot);
        (reads[slot], offsets[slot]) = (kind == RequestKind.Read, offset);
        if (kind == RequestKind.Flush) return;
        BinaryPrimitives.WriteInt64BigEndian(request[16..], offset);
        BinaryPrimitives.WriteInt32BigEndian(request[24..], Options.BlockBytes);
        if (kind == RequestKind.Write) Wire.Add(Buffer(slot));
    }

    public override int Complete()
    {
        Span<byte> reply = stackalloc byte[ChunkBytes];
        while (true)
        {
            Wire.Receive(reply[..ReplyBytes]);
            if (!Options.IsStructured || BinaryPrimitives.ReadUInt32BigEndian(reply) != StructuredMagic) return CompleteSimple(reply);
            Wire.Receive(reply[ReplyBytes..]);
            var slot = (int)BinaryPrimitives.ReadInt64BigEndian(reply[8..]);
            TakeChunk(slot, BinaryPrimitives.ReadUInt16BigEndian(reply[6..]), BinaryPrimitives.ReadInt32BigEndian(reply[16..]));
            if ((BinaryPrimitives.ReadUInt16BigEndian(reply[4..]) & LastChunk) != 0) return slot;
        }
    }

    void TakeChunk(int slot, ushort kind, int length)
    {
        Span<byte> place = stackalloc byte[12];
        switch (kind)
        {
            case NoChunk:
                break;
            case DataChunk:
                Wire.Receive(place[..8]);
                Wire.Receive(At(place).Slice(0, length - 8));
                break;
            case HoleChunk:
                Wire.Receive(place);
                At(place)[..BinaryPrimitives.ReadInt32BigEndian(place[8..])].Clear();
                break;
            default:
                throw new IOException($"a chunk of kind {kind:X4}h");
        }

        Span<byte> At(ReadOnlySpan<byte> offset) => Buffer(slot).AsSpan((int)(BinaryPrimitives.ReadInt64BigEndian(offset) - offsets[slot]));
    }

    int CompleteSimple(ReadOnlySpan<byte> reply)
    {
        var error = BinaryPrimitives.ReadInt32BigEndian(reply[4..]);
        if (BinaryPrimitives.ReadUInt32BigEndian(reply) != ReplyMagic || error != 0)
            throw new IOException($"a reply that is none, or error {error}");
        var slot = (int)BinaryPrimitives.ReadInt64BigEndian(reply[8..]);
        if (reads[slot]) Wire.Receive(Buffer(slot));
        return slot;
    }

    public override void Dispose()
    {
        try
        {
            var request = Wire.Add(RequestBytes);
            request.Clear();
            BinaryPrimitives.WriteUInt32BigEndian(request, RequestMagic);
            BinaryPrimitives.WriteUInt16BigEndian(request[6..], DisconnectCommand);
            Wire.Send();
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The server has gone first.
        }
        base.Dispose();
    }
}
