namespace Ashlar.Scsi;

/// <summary>Mode pages: caching, control, informational exceptions (SBC-3, 6.4.5; SPC-4, 7.5.8 and 7.5.11).</summary>
static class ModePages
{
    // Each page: 0 code, 1 bytes that follow.
    //   08h  2  WCE 04h: there is a volatile cache
    //   0Ah  2  D_SENSE 04h   3  queue algorithm 1: commands may overtake each other   4  SWP 08h
    //   1Ch  nothing is reported
    public const int AllSizeBytes = CachingBytes + ControlBytes + ExceptionsBytes;

    const int Caching = 0x08, Control = 0x0A, Exceptions = 0x1C, All = 0x3F;
    const int CachingBytes = 20, ControlBytes = 12, ExceptionsBytes = 12;
    const int WriteCacheBit = 0x04, DescriptorSenseBit = 0x04, SoftwareWriteProtectBit = 0x08;
    const int Changeable = 1, Default = 2;

    public static bool IsKnown(int page) => page is Caching or Control or Exceptions or All;

    /// <summary>Writes a page or all of them.</summary>
    /// <param name="target">Zeroed.</param>
    /// <param name="page">Page code.</param>
    /// <param name="pageControl">0 current values, 1 a mask of what may be changed, 2 defaults.</param>
    /// <param name="mode">The current values.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> target, int page, int pageControl, ModeParameters mode)
    {
        if (page == All)
        {
            var end = Write(target, Caching, pageControl, mode);
            end += Write(target[end..], Control, pageControl, mode);
            return end + Write(target[end..], Exceptions, pageControl, mode);
        }
        var length = SizeOf(page);
        target[0] = (byte)page;
        target[1] = (byte)(length - 2);
        if (pageControl == Changeable) mode = new(DescriptorSense: true, SoftwareWriteProtect: true);
        if (pageControl == Default) mode = default;
        if (page == Caching && pageControl != Changeable) target[2] = WriteCacheBit;
        if (page != Control) return length;
        target[2] = (byte)(mode.DescriptorSense ? DescriptorSenseBit : 0);
        target[3] = (byte)(pageControl == Changeable ? 0 : 0x10);
        target[4] = (byte)(mode.SoftwareWriteProtect ? SoftwareWriteProtectBit : 0);
        return length;
    }

    /// <summary>Takes changes from MODE SELECT: all of them or, where one is not possible, none.</summary>
    /// <param name="pages">Pages, one after another.</param>
    /// <param name="offsetBytes">Where they start in the parameter list, to point at what is wrong.</param>
    /// <param name="mode">Gets the new values.</param>
    public static Sense? Read(ReadOnlySpan<byte> pages, int offsetBytes, ref ModeParameters mode)
    {
        Span<byte> own = stackalloc byte[CachingBytes];
        var changed = mode;
        while (!pages.IsEmpty)
        {
            if (pages.Length < 2) return Sense.ParameterListLengthError;
            var page = pages[0] & 0x3F;
            if ((pages[0] & 0x40) != 0 || !IsKnown(page) || page == All) return Sense.InvalidFieldInParameterList(offsetBytes);
            var length = SizeOf(page);
            if (pages[1] != length - 2) return Sense.InvalidFieldInParameterList(offsetBytes + 1);
            if (pages.Length < length) return Sense.ParameterListLengthError;
            if (page == Control)
                changed = new((pages[2] & DescriptorSenseBit) != 0, (pages[4] & SoftwareWriteProtectBit) != 0);
            own.Clear();
            Write(own, page, pageControl: 0, changed);
            // PS means nothing in a parameter list (SPC-4, 7.5.6).
            var same = pages[2..length].CommonPrefixLength(own[2..length]) + 2;
            if (same < length) return Sense.InvalidFieldInParameterList(offsetBytes + same);
            pages = pages[length..];
            offsetBytes += length;
        }
        mode = changed;
        return null;
    }

    static int SizeOf(int page) => page == Caching ? CachingBytes : ControlBytes;
}
