using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>
/// Where headers and data of a command's Data-In PDUs lie in one buffer: header, data, header, data, padding.
/// </summary>
/// <param name="LengthBytes">All data, more than 0.</param>
/// <param name="MaxSegmentBytes">Most data in one PDU; a multiple of 4.</param>
readonly record struct DataInLayout(int LengthBytes, int MaxSegmentBytes)
{
    public int SegmentCount => (LengthBytes + MaxSegmentBytes - 1) / MaxSegmentBytes;

    public int TotalBytes => (SegmentCount * Bhs.SizeBytes) + LengthBytes + Bhs.Padding(LengthBytes);

    public int HeaderOffset(int segment) => segment * (Bhs.SizeBytes + MaxSegmentBytes);

    public int BufferOffset(int segment) => segment * MaxSegmentBytes;

    public int SegmentBytes(int segment) => Math.Clamp(LengthBytes - BufferOffset(segment), 0, MaxSegmentBytes);
}
