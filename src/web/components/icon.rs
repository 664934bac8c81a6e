//! Line icons, drawn on a grid of 16. Decoration: the text beside them carries the meaning.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Gate,
    Gauge,
    Layers,
    Card,
    People,
    Person,
    Key,
    Mail,
    Leave,
    Check,
    Warn,
    Stop,
    Plus,
    Minus,
    Info,
    Speech,
    Microphone,
    Speaker,
    Send,
    Square,
    Copy,
    Pencil,
    Bin,
    Receipt,
    Sheet,
    Bars,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Self::Gate => "M2.5 13.5v-8h3v8M4 5.5 13.5 2M5.5 8h8M13.5 6.5v7",
            Self::Gauge => "M2.3 12.5a6.2 6.2 0 1 1 11.4 0M8 9.5l3-3.5",
            Self::Layers => "M8 2 2 5l6 3 6-3zM2 8l6 3 6-3M2 11l6 3 6-3",
            Self::Card => "M1.8 4h12.4v8.5H1.8zM1.8 6.8h12.4M4 10h2.5",
            Self::People => {
                "M6 7.3a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8ZM1.6 13.5c0-2.6 1.9-4 4.4-4s4.4 1.4 4.4 4M10.5 2.8a2.3 2.3 0 0 1 0 4.2M12 9.9c1.5.5 2.4 1.7 2.4 3.6"
            }
            Self::Person => {
                "M8 7.3a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8ZM3 13.5c0-2.6 2.2-4 5-4s5 1.4 5 4"
            }
            Self::Key => {
                "M5.2 13.6a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM7.3 8.6l6.2-6.2M10.6 5.3l2.2 2.2"
            }
            Self::Mail => "M1.8 3.5h12.4v9H1.8zM2 4l6 4.8L14 4",
            Self::Leave => "M6.5 2.5h-4v11h4M6.5 8h7.2M11 5.2 13.8 8 11 10.8",
            Self::Check => "m3 8.5 3.3 3.3L13 4.6",
            Self::Warn => "M8 2 1.3 13.7h13.4zM8 6.3v3.6M8 11.8v.1",
            Self::Stop => "M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3zM8 4.8v4M8 11v.1",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Minus => "M3 8h10",
            Self::Speech => "M2 3h12v8.5H7.5L4.5 14v-2.5H2z",
            Self::Microphone => {
                "M8 9.8a2.2 2.2 0 0 0 2.2-2.2V4a2.2 2.2 0 0 0-4.4 0v3.6A2.2 2.2 0 0 0 8 9.8ZM3.8 7.6a4.2 4.2 0 0 0 8.4 0M8 11.8v2.4"
            }
            Self::Speaker => {
                "M2 6.2v3.6h2.4L8 12.8V3.2L4.4 6.2zM10.4 5.8a3.2 3.2 0 0 1 0 4.4M12.2 3.9a5.8 5.8 0 0 1 0 8.2"
            }
            Self::Send => "M8 13.5v-11M3.5 7 8 2.5 12.5 7",
            Self::Square => "M4.2 4.2h7.6v7.6H4.2z",
            Self::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
            Self::Pencil => "M2.5 13.5l.6-3L10.8 2.8l2.4 2.4-7.7 7.7zM9.3 4.3l2.4 2.4",
            Self::Bin => "M2.5 4.2h11M6 4.2V2.5h4v1.7M4 4.2l.6 9.3h6.8l.6-9.3M6.7 7v3.8M9.3 7v3.8",
            Self::Receipt => {
                "M3.5 2v12l1.8-1.2L7 14l1-1.2L9 14l1.7-1.2L12.5 14V2l-1.8 1.2L9 2 8 3.2 7 2 5.3 3.2zM6 6.5h4M6 9.3h4"
            }
            Self::Sheet => "M3 2h7l3 3v9H3zM10 2v3h3M5.5 8h5M5.5 11h5",
            Self::Bars => "M3 13.5v-5M8 13.5v-11M13 13.5v-8",
            Self::Info => "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM8 7.3v3.6M8 5v.1",
        }
    }
}

#[component]
pub fn Icon(shape: Shape) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=shape.path()></path>
        </svg>
    }
}
