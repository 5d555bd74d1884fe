using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// Finds out what of a stripe is wrong whose parity does not belong to its data, unit by unit, and mends it in memory.
/// </summary>
/// <remarks>
/// Two parities tell which one chunk is wrong: if D[i] is off by e, P is off by e and Q by g^i e, so that the quotient of the two
/// differences is the power of i, at every byte where they are not zero (H. P. Anvin, "The mathematics of RAID-6", section 4). One parity
/// does not; there somebody who knows checksums does, and else nothing is changed: who makes parity match data that has rotted
/// destroys the last of what was right.
/// </remarks>
sealed class StripeDoctor(StripeColumns columns, RaidLayout layout, byte[] p, byte[] q, Func<int, int, ReadOnlySpan<byte>, bool?>? isRight)
{
    /// <summary>Chunks that were changed.</summary>
    public ulong Changed { get; private set; }

    /// <summary>Whether something is wrong, and is left because nothing tells what.</summary>
    public bool IsUncertain { get; private set; }

    /// <param name="unitBytes">What is judged at a time: a block.</param>
    public void Mend(int unitBytes)
    {
        for (var at = 0; at < columns.LengthBytes; at += unitBytes)
        {
            var isP = columns.P.Span.Slice(at, unitBytes).SequenceEqual(p.AsSpan(at, unitBytes));
            var isQ = layout.ParityPerStripe < 2 || columns.Q.Span.Slice(at, unitBytes).SequenceEqual(q.AsSpan(at, unitBytes));
            if (isP && isQ) continue;
            var wrong = layout.ParityPerStripe > 1 ? Locate(at, unitBytes, isP, isQ) : Unknown;
            if (wrong == Unknown) wrong = Ask(at, unitBytes);
            if (wrong == Unknown) IsUncertain = true;
            else if (wrong == ParityIsWrong) ReplaceParity(at, unitBytes, isP, isQ);
            else AddToData(wrong, at, unitBytes);
        }
    }

    const int Unknown = -1, ParityIsWrong = -2;

    int Locate(int at, int unitBytes, bool isP, bool isQ)
    {
        if (isP || isQ) return ParityIsWrong; // One of them alone cannot be off because of data.
        var found = Unknown;
        for (var i = at; i < at + unitBytes; i++)
        {
            var (offP, offQ) = ((byte)(columns.P.Span[i] ^ p[i]), (byte)(columns.Q.Span[i] ^ q[i]));
            if (offP == 0 && offQ == 0) continue;
            if (offP == 0 || offQ == 0) return Unknown;
            var index = GaloisField.Logarithm(GaloisField.Multiply(offQ, GaloisField.Invert(offP)));
            if (index >= layout.DataPerStripe || (found != Unknown && found != index)) return Unknown;
            found = index;
        }

        return found;
    }

    // The only block that is said to be wrong; parity where all are said to be right.
    int Ask(int at, int unitBytes)
    {
        if (isRight is null) return Unknown;
        var (wrong, isAllRight) = (Unknown, true);
        for (var index = 0; index < layout.DataPerStripe; index++)
        {
            var answer = isRight(index, at, columns.Chunk(index).Span.Slice(at, unitBytes));
            isAllRight &= answer == true;
            if (answer != false) continue;
            if (wrong != Unknown) return Unknown;
            wrong = index;
        }

        if (isAllRight) return ParityIsWrong;
        if (wrong == Unknown) return Unknown;
        // Right only if what parity says is.
        var mended = columns.Chunk(wrong).Span.Slice(at, unitBytes).ToArray();
        for (var i = 0; i < unitBytes; i++) mended[i] ^= (byte)(columns.P.Span[at + i] ^ p[at + i]);
        return isRight(wrong, at, mended) == true ? wrong : Unknown;
    }

    void AddToData(int index, int at, int unitBytes)
    {
        var data = columns.Chunk(index).Span;
        for (var i = at; i < at + unitBytes; i++) data[i] ^= (byte)(columns.P.Span[i] ^ p[i]);
        Changed |= 1UL << index;
    }

    void ReplaceParity(int at, int unitBytes, bool isP, bool isQ)
    {
        if (!isP)
        {
            p.AsSpan(at, unitBytes).CopyTo(columns.P.Span[at..]);
            Changed |= columns.BitOfP;
        }

        if (isQ) return;
        Invariant.Require(layout.ParityPerStripe > 1);
        q.AsSpan(at, unitBytes).CopyTo(columns.Q.Span[at..]);
        Changed |= columns.BitOfQ;
    }
}
