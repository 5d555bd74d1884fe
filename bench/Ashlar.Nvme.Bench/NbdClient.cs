using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Nvme.Bench;

/// <summary>A client of NBD with simple replies, as libnbd and the kernel use them.</summary>
sealed class NbdClient : BenchClient
{
    public const ulong Magic = 0x4E42444D41474943, OptionMagic = 0x49484156454F5054, OptionReplyMagic = 0x3E889045565A9;
    public const uint RequestMagic = 0x25609513, ReplyMagic = 0x67446698;
    public const int RequestBytes = 28, ReplyBytes = 16, GoOption = 7, Acknowledged = 1, InfoReply = 3;
    public const ushort FixedNewstyle = 1, NoZeroes = 2;
    public const ushort ReadCommand = 0, WriteCommand = 1, DisconnectCommand = 2, FlushCommand = 3;

    readonly bool[] reads;

    public NbdClient(BenchOptions options) : base(options)
    {
        reads = new bool[options.Depth];
        Span<byte> greeting = stackalloc byte[18];
        Wire.Receive(greeting);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting) != Magic) throw new IOException("this is no server of NBD");
        BinaryPrimitives.WriteUInt32BigEndian(Wire.Add(4), FixedNewstyle | NoZeroes);

        var name = Encoding.UTF8.GetBytes(options.Name);
        var go = Wire.Add(16 + 6 + name.Length);
        BinaryPrimitives.WriteUInt64BigEndian(go, OptionMagic);
        BinaryPrimitives.WriteInt32BigEndian(go[8..], GoOption);
        BinaryPrimitives.WriteInt32BigEndian(go[12..], 6 + name.Length);
        BinaryPrimitives.WriteInt32BigEndian(go[16..], name.Length);
        name.CopyTo(go[20..]);
        go[(20 + name.Length)..].Clear(); // Asks for nothing that is not told anyhow.
        Span<byte> reply = stackalloc byte[20];
        int kind;
        do
        {
            Wire.Receive(reply);
            kind = BinaryPrimitives.ReadInt32BigEndian(reply[12..]);
            if (kind is not (Acknowledged or InfoReply)) throw new IOException($"the server refuses {options.Name}: {kind:X8}h");
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
        reads[slot] = kind == RequestKind.Read;
        if (kind == RequestKind.Flush) return;
        BinaryPrimitives.WriteInt64BigEndian(request[16..], offset);
        BinaryPrimitives.WriteInt32BigEndian(request[24..], Options.BlockBytes);
        if (kind == RequestKind.Write) Wire.Add(Buffer(slot));
    }

    public override int Complete()
    {
        Span<byte> reply = stackalloc byte[ReplyBytes];
        Wire.Receive(reply);
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
