namespace Ashlar.Scsi;

/// <summary>A run of blocks to be copied, found to be possible.</summary>
/// <param name="Source">From where.</param>
/// <param name="SourceBytes">Where it begins there.</param>
/// <param name="Destination">To where.</param>
/// <param name="DestinationBytes">Where it begins there.</param>
/// <param name="LengthBytes">How much; a multiple of the block sizes of both.</param>
readonly record struct CopySegment(
    UnitNexus Source, long SourceBytes, UnitNexus Destination, long DestinationBytes, long LengthBytes)
{
    /// <summary>Whether the end has to be copied first, or what is still to be copied would be overwritten.</summary>
    public bool IsBackward => Source.Unit == Destination.Unit
        && DestinationBytes > SourceBytes
        && DestinationBytes < SourceBytes + LengthBytes;
}
