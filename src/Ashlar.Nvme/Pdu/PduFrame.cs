namespace Ashlar.Nvme;

/// <summary>
/// How a PDU of a host is laid out: what follows its common header, and how long each part is. All that a header says of lengths is
/// looked at here, before anything is received by it.
/// </summary>
/// <param name="Header">The common header.</param>
/// <param name="PaddingBytes">Between header with digest, and data.</param>
/// <param name="DataBytes">Data, without their digest.</param>
readonly record struct PduFrame(PduHeader Header, int PaddingBytes, int DataBytes)
{
    /// <summary>Data that a command capsule may carry: what Linux always allows itself for Connect and admin commands.</summary>
    public const int MaxInCapsuleBytes = 8 * 1024;

    /// <summary>
    /// Data of one H2CData PDU (MAXH2CDATA). No command moves more, so older hosts, which do not heed it, keep to it too.
    /// </summary>
    public const int MaxHostDataBytes = 1 << 20;

    /// <summary>What a host may send back of the PDU for which it ends a connection (3.6.2.7).</summary>
    public const int MaxTerminationDataBytes = 128;

    /// <summary>Where data must begin: CPDA 0 is a multiple of 4.</summary>
    public const int DataAlignment = 4;

    const string WrongDigest = "a digest that was not agreed on, or none that was";

    public PduType Type => Header.Type;

    public bool IsLast => (Header.Flags & PduFlags.LastPdu) != PduFlags.None;

    public bool HasHeaderDigest => (Header.Flags & PduFlags.HeaderDigest) != PduFlags.None;

    public bool HasDataDigest => (Header.Flags & PduFlags.DataDigest) != PduFlags.None;

    /// <summary>Looks at a common header.</summary>
    /// <param name="source">Its 8 bytes.</param>
    /// <param name="digests">What was agreed on; nothing before that.</param>
    /// <param name="frame">How the PDU is laid out.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryRead(ReadOnlySpan<byte> source, Digests digests, out PduFrame frame, out FatalError error)
    {
        var header = PduHeader.Read(source);
        frame = new(header, 0, 0);
        if (LayoutOf(header.Type) is not { } layout)
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.TypeOffset, $"a PDU of type {(byte)header.Type:X2}h", out error);
        if (header.HeaderBytes != layout.HeaderBytes)
        {
            return Fails(
                FatalStatus.InvalidHeaderField, PduHeader.HeaderLengthOffset,
                $"a header of {header.HeaderBytes} bytes in a PDU of type {(byte)header.Type:X2}h", out error);
        }

        var isDigested = layout.MayHaveDigests && digests.Header;
        if (frame.HasHeaderDigest != isDigested)
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.FlagsOffset, WrongDigest, out error);
        var headerEnd = (uint)layout.HeaderBytes + (isDigested ? PduHeader.DigestBytes : 0u);
        if (header.LengthBytes < headerEnd)
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.LengthOffset, $"a length of {header.LengthBytes} bytes", out error);
        if (header.LengthBytes == headerEnd) return IsWithoutData(frame, layout, out error);

        if (frame.HasDataDigest != (layout.MayHaveDigests && digests.Data))
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.FlagsOffset, WrongDigest, out error);
        var dataAt = layout.MayHaveDigests ? header.DataOffset : headerEnd;
        if (dataAt < headerEnd || dataAt % DataAlignment != 0)
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.DataOffsetOffset, $"data at byte {header.DataOffset}", out error);
        var dataEnd = (long)header.LengthBytes - (frame.HasDataDigest ? PduHeader.DigestBytes : 0);
        var dataBytes = dataEnd - dataAt;
        if (dataBytes <= 0)
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.LengthOffset, $"a length of {header.LengthBytes} bytes", out error);
        if (dataBytes > layout.MaxDataBytes)
        {
            return Fails(
                header.Type == PduType.HostTermination ? FatalStatus.InvalidHeaderField : FatalStatus.DataLimitExceeded,
                PduHeader.LengthOffset, $"{dataBytes} bytes of data, more than {layout.MaxDataBytes}", out error);
        }

        frame = new(header, (int)(dataAt - headerEnd), (int)dataBytes);
        error = default;
        return true;
    }

    static bool IsWithoutData(in PduFrame frame, in Layout layout, out FatalError error)
    {
        if (layout.NeedsData)
            return Fails(FatalStatus.InvalidHeaderField, PduHeader.LengthOffset, "a data PDU without data", out error);
        if (frame.HasDataDigest) return Fails(FatalStatus.InvalidHeaderField, PduHeader.FlagsOffset, "a digest of no data", out error);
        error = default;
        return true;
    }

    static Layout? LayoutOf(PduType type) => type switch
    {
        PduType.InitializeConnectionRequest => new(InitializeRequest.SizeBytes, 0),
        PduType.HostTermination => new(TerminationPdu.HeaderBytes, MaxTerminationDataBytes),
        PduType.CommandCapsule => new(CommandCapsule.HeaderBytes, MaxInCapsuleBytes, MayHaveDigests: true),
        PduType.HostData => new(DataPdu.HeaderBytes, MaxHostDataBytes, MayHaveDigests: true, NeedsData: true),
        _ => null,
    };

    static bool Fails(FatalStatus status, int field, string what, out FatalError error)
    {
        error = new(status, (uint)field, what);
        return false;
    }

    readonly record struct Layout(int HeaderBytes, int MaxDataBytes, bool MayHaveDigests = false, bool NeedsData = false);
}
