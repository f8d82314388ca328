"""Where frames are shown: a window of the desktop, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rap_edge.errors import NotSupported

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import ImageTk


class Screen(Protocol):
    """What shows RGB images (H, W, 3) uint8; used by one thread, the main one."""

    is_open: bool

    def show(self, image: NDArray[np.uint8]) -> None: ...

    def update(self) -> None:
        """Let the window react; to be called some dozen times a second."""

    def close(self) -> None: ...


class NullScreen:
    """Shows nothing."""

    is_open = True

    def show(self, image: NDArray[np.uint8]) -> None:
        pass

    def update(self) -> None:
        pass

    def close(self) -> None:
        pass


class Window:
    """A window by tkinter; `is_open` until somebody closes it."""

    def __init__(self, title: str) -> None:
        """Open it; raises NotSupported where there is no display or no tkinter."""
        try:
            import tkinter
        except ImportError as error:
            raise NotSupported(
                f"there is no window ({error}): expected Python with tkinter, on Debian and Ubuntu "
                "apt install python3-tk; or use --null-video"
            ) from error
        try:
            self._root = tkinter.Tk(className="rap-edge")
        except tkinter.TclError as error:
            raise NotSupported(
                f"there is no window ({error}): expected a display; use --null-video without one"
            ) from error
        self._root.title(title)
        self._root.resizable(False, False)
        self._root.protocol("WM_DELETE_WINDOW", self._closed_by_user)
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self._photo: ImageTk.PhotoImage | None = None
        self.is_open = True

    def show(self, image: NDArray[np.uint8]) -> None:
        from PIL import Image, ImageTk

        picture = Image.fromarray(image)
        if self._photo is None:
            self._photo = ImageTk.PhotoImage(picture)
            self._label.configure(image=self._photo)
        else:
            self._photo.paste(picture)

    def update(self) -> None:
        self._root.update()

    def close(self) -> None:
        self.is_open = False
        self._root.destroy()

    def _closed_by_user(self) -> None:
        self.is_open = False
